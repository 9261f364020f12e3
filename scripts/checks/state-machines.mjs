import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const validate = createRequire(import.meta.url)('asl-validator');

/** Values that only a deployment knows, in the shape they will have. */
const placeholder = (reference, template) => {
  const resource = template.Resources[Array.isArray(reference) ? reference[0] : reference];
  if (resource?.Type === 'AWS::Lambda::Function') return 'arn:aws:lambda:us-east-1:123456789012:function:handler';
  if (resource?.Type === 'AWS::IAM::Role') return 'arn:aws:iam::123456789012:role/role';
  const pseudo = { 'AWS::Partition': 'aws', 'AWS::Region': 'us-east-1', 'AWS::AccountId': '123456789012', 'AWS::URLSuffix': 'amazonaws.com' };
  return pseudo[reference] ?? 'value';
};

const render = (value, template) => {
  if (typeof value === 'string') return value;
  if (value['Fn::Join']) return value['Fn::Join'][1].map((part) => render(part, template)).join(value['Fn::Join'][0]);
  if (value.Ref) return placeholder(value.Ref, template);
  if (value['Fn::GetAtt']) return placeholder(value['Fn::GetAtt'], template);
  return 'value';
};

const machinesOf = (file) => {
  const template = JSON.parse(readFileSync(file, 'utf8'));
  return Object.entries(template.Resources)
    .filter(([, { Type }]) => Type === 'AWS::StepFunctions::StateMachine')
    .map(([id, { Properties }]) => ({ id, definition: JSON.parse(render(Properties.DefinitionString, template)) }));
};

/** Definitions of every state machine of a template. */
export const definitionsOf = (file) => machinesOf(file).map(({ definition }) => definition);

/** Definitions of every state machine of a template, checked against the States Language: one finding per problem. */
export const checkStateMachines = (file) => {
  const machines = machinesOf(file);
  const findings = machines.flatMap(({ id, definition }) => {
    const { isValid, errorsText } = validate(definition);
    return isValid ? [] : [`${id}: ${errorsText('; ')}`];
  });
  return { count: machines.length, findings };
};
