/** Model card for Eta. Sections without content stay, and say that they are empty: what is missing is part of what a reader has to know. */
export const CARD_TEMPLATE = `# Model card: <%= it.title %>

<%= it.overview %>

<%= it.description %>

## Intended use

<%= it.text('intendedUse') %>

## Uses out of scope

<%= it.text('outOfScopeUse') %>

## Data

<%= it.schema %>

<%= it.data %>

## Metrics

<%= it.metrics %>

<%= it.gate %>

## Metrics by group

<%= it.groupMetrics %>

## Limitations

<%= it.text('limitations') %>

## Risks

<%= it.text('risks') %>

## Mitigations

<%= it.text('mitigations') %>

## Ethical considerations

<%= it.text('ethics') %>

## How it was made

<%= it.origin %>

### Hyperparameters

<%= it.hyperparameters %>

## Approvals and service

<%= it.decisions %>

<%= it.served %>

## Lineage

Made from:

<%= it.madeFrom %>

Went to:

<%= it.wentTo %>
`;
