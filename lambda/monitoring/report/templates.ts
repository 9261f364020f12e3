/** Parts of a page for Eta. `<%= %>` escapes; `<%~ %>` is for charts, which escape their own texts, and for parts. */

const TABLE = (name: string): string => `<div class="scroll" tabindex="0" role="region" aria-label="${name}"><table>`;
const TAG = (of: string): string => `<span class="tag <%= ${of}.tone %>"><%= ${of}.word %></span>`;
/** A chart that may be wider than the screen; where there is nothing to draw there is no figure. */
const WIDE = (chart: string, name: string, caption: string): string =>
  `<% if (${chart}) { %><figure><div class="scroll" tabindex="0" role="region" aria-label="Chart: ${name}"><%~ ${chart} %></div>` +
  `<figcaption>${caption}</figcaption></figure><% } %>`;

export const PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="<%= it.policy %>">
<meta name="color-scheme" content="light dark">
<title><%= it.headline.title %></title>
<style><%~ it.styles %></style>
</head>
<body>
<a class="skip" href="#main">Skip to the verdicts</a>
<header>
<p class="meta"><% if (it.input) { %>Comparison of <%= it.input %><% } else { %>Monitoring of <%= it.result.model %> · window <time datetime="<%=
it.result.windowStart
%>"><%= it.from %></time> to <time datetime="<%= it.result.windowEnd %>"><%= it.to %></time> (UTC)<% } %></p>
<h1><%= it.headline.title %></h1>
<% it.headline.remarks.forEach((remark) => { %><p><%= remark %></p><% }) %>
<p class="meta"><%= it.number(it.result.rows) %> rows<% if (it.result.requests > 0) { %> in <%= it.number(it.result.requests) %> requests<% } %><%
if (it.result.invocations !== undefined) { %>; the endpoint counted <%= it.number(it.result.invocations) %> requests<% } %>.<%
if (it.servedBy) { %> Answered by (rows): <%= it.servedBy %>.<% } %></p>
<nav aria-label="Contents"><ul><li><a href="#promise">What is promised</a></li><% if (it.features.reference) { %><li><a
href="#features">Features</a></li><% }
if (it.metrics.length > 0) { %><li><a href="#metrics">Quality</a></li><% } if (it.groups.columns.length > 0) { %><li><a
href="#bygroup">Groups</a></li><% }
if (it.violations.length > 0) { %><li><a href="#violations">Data rules</a></li><% } %><li><a href="#input">What was read</a></li><li><a
href="#method">How to read this</a></li></ul></nav>
</header>
<main id="main" tabindex="-1">
<section aria-labelledby="verdicts"><h2 class="hidden" id="verdicts">Verdicts</h2><ul class="cards">
<% it.parts.forEach((part) => { %><li class="card <%= part.tone %>"><h3><%= part.name %>: <span class="tag <%= part.tone %>"><%= part.word
%></span></h3>
<p><%= part.reason %></p></li>
<% }) %></ul></section>
<section aria-labelledby="promise"><h2 id="promise">What is promised</h2>
<% if (it.budget) { %><p><%= it.budget %></p><% } %>
<% if (it.comparisons.length > 0) { %><div class="refs"><% it.comparisons.forEach((one) => { %><div><h3><%= one.name %>: ${TAG('one')}</h3>
<p><%= one.reason %></p><p><strong>Promise:</strong> <%= one.promise %></p><p class="meta"><%= one.sentence %></p>
${WIDE('one.chart', '<%= one.name %>', 'Judged score of each window; drift above the dashed line. Squares are alarms, hollow dots were not judged.')}
</div><% }) %></div>
${TABLE('References')}<caption><span>Each reference in figures. Blocks are those that the score is fitted to, and those that tell what is usual; a
reference with too
few cannot promise anything and never alarms.</span></caption><thead><tr><th scope="col">Reference</th><th scope="col">Verdict</th><th scope="col"
class="n">Score</th><th scope="col" class="n">Drift above</th><th scope="col" class="n">p</th><th scope="col"
class="n">Blocks</th></tr></thead><tbody>
<% it.comparisons.forEach((one) => { %><tr><th scope="row"><%= one.name %></th><td>${TAG('one')}</td><td class="n"><%= one.judged %></td><td
class="n"><%= one.threshold %></td><td class="n"><%= one.p %></td><td class="n"><%= one.blocks %></td></tr><% }) %></tbody></table></div><% }
%></section>
<%~ include('@features', it) %>
<%~ include('@quality', it) %>
<%~ include('@input', it) %>
<section aria-labelledby="method"><h2 id="method">How to read this</h2>
<dl class="g"><dt>Score</dt><dd>How far the window lies from the reference, in units of how far the reference's own blocks lie from each other: the
largest
over all features. What is judged is a score that has to come back: <%= it.spec.persistence.breaches %> of the last <%= it.spec.persistence.windows %>
windows.</dd>
<dt>Effect</dt><dd>The distance itself. Below the least that counts a feature never drifts, however certain the difference.</dd>
<dt>p</dt><dd>Share of the reference's own blocks that score as high; drift is decided by it, for all features together.</dd>
<dt>Order of features</dt><dd>Drifted first, then by importance times effect. Importance: how much worse the model gets where the feature is shuffled
in its holdout, as a share of that of the most important one; where the gate's report does not tell it, the share of the prediction's variance that
the feature explains alone.</dd>
<dt>PSI, chi-square and other statistics</dt><dd>Shown for comparison with other tools; they take rows for independent and decide nothing here.</dd>
<dt>Interval of quality</dt><dd>Rests on whole days, since the rows of a day are not independent; a metric is worse only where the whole interval
is.</dd>
<dt>Too little data</dt><dd>With fewer than <%= it.number(it.spec.minimumRows) %> rows there is no verdict.</dd></dl></section>
</main>
<footer><p>Platform <%= it.result.platform %>. Result: <%= it.result.resultUri %>. Sources: <%= it.result.sources %>. This page loads nothing and
runs no
script.</p></footer>
</body>
</html>
`;

const FEATURE = `<article class="feature" aria-labelledby="<%= f.id %>"><div><h3 id="<%= f.id %>"><%= f.name %> <span class="tag <%= f.tone %>"><%=
f.word
%></span></h3><p><%= it.clip(f.result.reason, 400) %></p><% if (f.unseen) { %><p>Never seen before: <%= f.unseen %>.</p><% } %></div><%
if (f.distribution || f.trend) { %><div class="charts"><% if (f.distribution) { %><figure><%~ f.distribution %></figure><% }
if (f.trend) { %><figure class="trend"><%~ f.trend %><figcaption><%= f.result.kind === 'numeric' ? 'KS' : 'JS' %> distance over the last
windows; dashed: from here it counts</figcaption></figure><% } %></div><% } %><details><summary>Numbers of <%= f.name %></summary><div
class="numbers"><table><thead><tr><th scope="col">Values</th><th scope="col"
class="n">Reference</th><th scope="col" class="n">Window</th></tr></thead><tbody><% f.sides.forEach((side) => { %><tr><th scope="row"><%= side[0]
%></th><td
class="n"><%= side[1] %></td><td class="n"><%= side[2] %></td></tr><% }) %></tbody></table><dl class="f"><% f.figures.forEach((one) => { %><dt><%=
one[0]
%></dt><dd><%= one[1] %></dd><% }) %></dl></div><p class="meta">Its place: <%= f.place %>.</p><% if (f.others.length > 0) { %><table><thead><tr><th
scope="col">Against</th><th scope="col">Verdict</th><th scope="col">Effect</th><th scope="col" class="n">Rows</th></tr></thead><tbody><%
f.others.forEach((one) => { %><tr><th scope="row"><%= one.reference %></th><td><%= one.word %></td><td><%= one.effect %></td><td class="n"><%=
one.rows
%></td></tr><% }) %></tbody></table><% } %></details></article>
`;

export const FEATURES = `<% const one = (f) => { %>${FEATURE}<% } %><% if (it.features.reference) { const { drifted, first, rest, leftOut } =
it.features; %>
<section aria-labelledby="features"><h2 id="features">Features</h2>
<p><span class="key" aria-hidden="true"></span>filled: reference<% if (!it.input) { %> (<%= it.features.reference %>)<% } %>&ensp; <span class="key w"
aria-hidden="true"></span>outlined:
this window. Both as shares of their own rows; the outermost steps hold whatever lies beyond.</p>
<p class="meta"><%= it.features.against %></p>
<% drifted.forEach(one); first.forEach(one); if (rest.length > 0) { %><details class="more"><summary><%= rest.length %> more features without
drift</summary><% rest.forEach(one); %></details><% } if (leftOut > 0) { %><p><%= it.number(leftOut) %> further features that changed less are left
out here
to keep the page small; the result holds all of them.</p><% } if (it.skipped) { %><p class="meta">Not compared: <%= it.skipped %>.</p><% }
%></section><% } %>
`;

const GROUPS = `<% if (it.groups.columns.length > 0) { %><section aria-labelledby="bygroup"><h2 id="bygroup">Groups</h2>
<p><%= it.result.groups.reason %></p>
<% if (it.groups.gaps.length > 0) { %>${TABLE('Gaps between groups')}<caption><span>Gaps between groups, with their
intervals.</span></caption><thead><tr><th
scope="col">Column</th><th scope="col">Gap</th><th scope="col">Between</th><th scope="col" class="n">Value</th><th scope="col"
class="n">Interval</th><th
scope="col" class="n">Bound</th><th scope="col">Verdict</th></tr></thead><tbody><% it.groups.gaps.forEach((gap) => { %><tr><th scope="row"><%=
gap.column
%></th><td><%= gap.metric %></td><td><%= gap.between %></td><td class="n"><%= gap.value %></td><td class="n"><%= gap.interval %></td><td class="n"><%=
gap.bound %></td><td>${TAG('gap')}</td></tr><% }) %></tbody></table></div><% } %>
<% it.groups.columns.forEach((column) => { %><h3 class="by">By <%= column.column %></h3><% column.charts.forEach((chart, index) => { %>
${WIDE('chart', '<%= column.heads[index] %> by <%= column.column %>', '<%= column.heads[index] %>, with its interval; hollow: too small.')}<% }) %>
<details><summary>Figures by <%= column.column %></summary>${TABLE('Figures by <%= column.column %>')}<thead><tr><th scope="col">Group</th><th
scope="col"
class="n">Rows</th><th scope="col" class="n">With label</th><% column.heads.forEach((head) => { %><th scope="col" class="n"><%= head %></th><% })
%></tr></thead>
<tbody><% column.rows.forEach((row) => { %><tr><th scope="row"><%= row.group %><% if (row.small) { %> <small>(too small to judge)</small><% }
%></th><td
class="n"><%= row.rows %></td><td class="n"><%= row.labelled %></td><% row.cells.forEach((cell) => { %><td class="n"><%= cell %></td><% }) %></tr><%
})
%></tbody></table></div></details><% }) %></section><% } %>`;

export const QUALITY = `<% const { quality } = it.result; if (it.metrics.length > 0) { %>
<section aria-labelledby="metrics"><h2 id="metrics">Quality</h2>
<p><%= it.number(quality.labelled) %> of <%= it.number(quality.rows) %> rows from <%= it.moment(quality.from) %> to <%= it.moment(quality.to) %>
have a label
(<%= it.percent(quality.coverage) %>)<% if (quality.labelAgeSeconds !== undefined) { %>; half of the labels come within <%=
it.span(quality.labelAgeSeconds)
%> of their prediction<% } %>. Intervals rest on <%= quality.blocks %> days and hold with <%= it.percent(quality.confidence) %> confidence.</p>
${TABLE('Metrics')}<caption><span>The baseline is what the version was judged on before it served.</span></caption><thead><tr><th
scope="col">Metric</th><th scope="col"
class="n">Value</th><th scope="col" class="n">Interval</th><th scope="col" class="n">Baseline</th><th scope="col" class="n">Bound</th><th
scope="col">Verdict</th></tr></thead><tbody><% it.metrics.forEach((metric) => { %><tr><th scope="row"><%= metric.name %></th><td class="n"><%=
metric.value
%></td><td class="n"><%= metric.interval %></td><td class="n"><%= metric.baseline %></td><td class="n"><%= metric.bound
%></td><td>${TAG('metric')}</td></tr><% })
%></tbody></table></div>
<% it.metrics.forEach((metric) => { %>
${WIDE('metric.chart', '<%= metric.name %>', '<%= metric.name %> with its interval; dashed: its bound.')}<% }) %>
${WIDE('it.coverage', 'label coverage', 'Share of rows with a label.')}</section><% } %>
${GROUPS}`;

export const INPUT = `<% if (it.violations.length > 0) { %><section aria-labelledby="violations"><h2 id="violations">Data rules</h2>
<p><%= it.result.constraints.reason %></p>${TABLE('Broken rules')}<caption><span>Broken rules of <%= it.result.constraints.source
%>.</span></caption><thead><tr><th
scope="col">Column</th><th scope="col">Rule</th><th scope="col">Severity</th><th scope="col">Observed</th><th scope="col">Allowed</th><th
scope="col">Meaning</th></tr></thead><tbody><% it.violations.forEach((rule) => { %><tr><th scope="row"><%= rule.feature ? it.clip(rule.feature, 60)
: 'all rows'
%></th><td><%= rule.constraint %></td><td><span class="tag <%= rule.severity === 'error' ? 'bad' : 'idle' %>"><%= rule.severity %></span></td><td><%=
it.clip(rule.observed, 120) %></td><td><%= it.clip(rule.allowed, 120) %></td><td class="t"><%= it.clip(rule.description, 300) %></td></tr><% })
%></tbody></table></div></section><% } %>
<section aria-labelledby="input"><h2 id="input">What was read</h2>
<% if (it.states.length > 0) { %>${TABLE('States of the window')}<caption><span>What was unusual about the records of this
window.</span></caption><thead><tr><th
scope="col">State</th><th scope="col" class="n">Count</th><th scope="col">Meaning</th></tr></thead><tbody><% it.states.forEach((state) => { %><tr><th
scope="row"><%= state.name %></th><td class="n"><%= it.number(state.count) %></td><td class="t"><%= state.sentence %></td></tr><% })
%></tbody></table></div><% }
if (it.rejected.length === 0) { %><p>Every line and row that was read could be used.</p><% } else { %>${TABLE('Rejected lines')}<caption><span>Lines
and rows that
could not be used, each cause with the place of the first.</span></caption><thead><tr><th scope="col">Cause</th><th scope="col"
class="n">Count</th><th
scope="col">First</th></tr></thead><tbody><% it.rejected.forEach((entry) => { %><tr><th scope="row"><%= entry.cause %></th><td class="n"><%=
it.number(entry.count) %></td><td class="t"><%= entry.sample %></td></tr><% }) %></tbody></table></div><% }
if (it.result.episodes.length > 0) { %>${TABLE('Open episodes')}<caption><span>Episodes: unbroken runs of windows in which a rule
alarms.</span></caption><thead><tr><th
scope="col">Rule</th><th scope="col">About</th><th scope="col">Since</th><th scope="col" class="n">Windows</th></tr></thead><tbody><%
it.result.episodes.forEach((episode) => { %><tr><th scope="row"><%= episode.rule %></th><td><%= episode.key %></td><td><%= it.moment(episode.since)
%></td><td class="n"><%= it.number(episode.windows) %></td></tr><% }) %></tbody></table></div><% } %></section>
`;
