/** Parts of the page for Eta. `<%= %>` escapes; `<%~ %>` is for charts, which escape their own texts, and for parts. */

const TABLE = (name: string): string => `<div class="scroll" tabindex="0" role="region" aria-label="${name}"><table>`;
const TAG = (of: string): string => `<span class="tag <%= ${of}.tone %>"><%= ${of}.word %></span>`;
const FIGURE = (chart: string, name: string, caption: string): string =>
  `<% if (${chart}) { %><figure><div class="scroll" tabindex="0" role="region" aria-label="Chart: ${name}"><%~ ${chart} %></div>` +
  `<figcaption>${caption}</figcaption></figure><% } %>`;
const KEY = `<p><span class="key w" aria-hidden="true"></span>candidate<% if (it.champion) { %>&ensp; <span class="key" aria-hidden="true"></span><%=
it.champion %>, dashed<% } %></p>`;

export const PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="<%= it.policy %>">
<meta name="color-scheme" content="light dark">
<title><%= it.headline %></title>
<style><%~ it.styles %></style>
</head>
<body>
<a class="skip" href="#main">Skip to the rules</a>
<header>
<p class="meta">Gate of <%= it.report.model %> · run <%= it.report.runId %><% if (it.report.round > 0) { %> · judgement <%= it.report.round + 1
%><% } %></p>
<h1><%= it.headline %></h1>
<% it.remarks.forEach((remark) => { %><p><%= remark %></p><% }) %>
<nav aria-label="Contents"><ul><% it.sections.forEach((one) => { %><li><a href="#<%= one[0] %>"><%= one[1] %></a></li><% }) %></ul></nav>
</header>
<main id="main" tabindex="-1">
<section aria-labelledby="rules"><h2 id="rules">Rules</h2>
${TABLE('Rules')}<caption><span>Every rule of the gate. One that is broken, or whose figure cannot be computed, refuses the
candidate.</span></caption><thead><tr><th scope="col">Rule</th><th scope="col">Verdict</th><th scope="col" class="n">Value</th><th scope="col"
class="n">Interval</th><th scope="col" class="n">Bound</th><th scope="col">What came of it</th></tr></thead><tbody>
<% it.rules.forEach((rule) => { %><tr><th scope="row"><%= rule.name %></th><td>${TAG('rule')}</td><td class="n"><%= rule.value %></td><td
class="n"><%= rule.interval %></td><td class="n"><%= rule.bound %></td><td class="t"><%= rule.text %></td></tr><% }) %></tbody></table></div>
${FIGURE('it.improvement', 'improvement', 'How much better it is, and the range in which that lies: its left end has to reach the dashed line.')}
</section>
<%~ include('@metrics', it) %>
<%~ include('@shapes', it) %>
<%~ include('@importance', it) %>
<%~ include('@groups', it) %>
<%~ include('@data', it) %>
<section aria-labelledby="method"><h2 id="method">How to read this</h2>
<dl class="g"><dt>Improvement</dt><dd>Both models answered the same rows. How much better the candidate is, as a share of the champion's value (the
difference itself where that is zero).</dd>
<dt>Interval</dt><dd><%= it.method %></dd>
<dt>Other intervals</dt><dd>Of single figures: <%= it.confidence %>, two-sided, by leaving out one block at a time. They inform; bounds are held
against the value itself.</dd>
<dt>Training rows in the holdout</dt><dd>Rows are told apart by hashes of <%= it.keyColumns %>. A model that has seen the rows that it is judged on
looks better than it is.</dd>
<dt>Time per row</dt><dd>Of the whole transform job, the start of its container included, divided by its rows<%
if (it.report.permutedRows) { %>, shuffled ones included<% } %>: what one row costs in a batch, not the latency of a request.</dd>
<% if (it.importance) { %><dt>Importance of features</dt><dd>Permutation importance: what this model rests on, on these rows, not what causes the
target. Of features that tell the same, each looks less important than it is, since the model falls back on the others; and shuffling makes rows that
never occur. No rule looks at it.</dd>
<% } %><% it.report.missing.forEach((one) => { %><dt><%= one.what %>: not here</dt><dd><%= one.why %>.</dd><% }) %></dl></section>
</main>
<footer><p>Holdout: <%= it.report.holdoutUri %>. The same figures as JSON lie beside this page. It loads nothing and runs no script.</p></footer>
</body>
</html>
`;

export const METRICS = `<section aria-labelledby="metrics"><h2 id="metrics">Metrics</h2>
${TABLE('Metrics')}<caption><span>All metrics of the task on <%= it.rows %> rows. The one that decides is marked.</span></caption><thead><tr><th
scope="col">Metric</th><th scope="col" class="n">Candidate</th><% if (it.champion) { %><th scope="col" class="n"><%= it.champion %></th><th
scope="col" class="n">Better by</th><% } %></tr></thead><tbody><% it.metrics.forEach((metric) => { %><tr><th scope="row"><%= metric.name %><%
if (metric.decides) { %> <small>(decides)</small><% } %></th><td class="n"><%= metric.candidate %></td><% if (it.champion) { %><td class="n"><%=
metric.champion %></td><td class="n"><%= metric.better %></td><% } %></tr><% }) %></tbody></table></div></section>
<% if (it.overTime) { %><section aria-labelledby="time"><h2 id="time"><%= it.unit === 'day' ? 'Day by day' : 'Block by block' %></h2>
${KEY}${FIGURE('it.overTime', 'over time', '<%= it.report.gate.metric %> of <%= it.unitText %>: where one model is far off, and the mean hides it.')}
</section><% } %>`;

export const SHAPES = `<% if (it.calibration || it.roc) { %><section aria-labelledby="curves"><h2 id="curves"><%= it.roc ? 'Calibration and curves' :
'Calibration' %></h2>
${KEY}<div class="charts">
${FIGURE('it.calibration', 'calibration', 'Bins of neighbouring predictions: what was predicted, and what came. Dotted: both are equal.')}
${FIGURE('it.roc', 'ROC', 'ROC: the further to the upper left, the better it tells the classes apart.')}
${FIGURE('it.precisionRecall', 'precision and recall', 'Precision against recall at every threshold.')}</div></section><% } %>
<% if (it.confusions.length > 0) { %><section aria-labelledby="confusion"><h2 id="confusion">Confusion matrix</h2>
<% it.confusions.forEach((one) => { %>${TABLE('Confusion matrix, <%= one.whose %>')}<caption><span><%= one.caption
%></span></caption><thead><tr><th scope="col">Truth</th><% one.labels.forEach((label) => { %><th scope="col" class="n"><%= label %></th><% })
%></tr></thead><tbody><% one.rows.forEach((row) => { %><tr><th scope="row"><%= row.label %></th><% row.cells.forEach((cell) => { %><td
class="n<%= cell.right ? ' right' : '' %>"><%= cell.count %><% if (cell.share) { %> <small><%= cell.share %></small><% } %></td><% }) %></tr><% })
%></tbody></table></div><% }) %></section><% } %>`;

export const IMPORTANCE = `<% if (it.importance) { %><section aria-labelledby="importance"><h2 id="importance">Importance of features</h2>
${FIGURE('it.importance.chart', 'importance of features', '<%= it.importance.caption %>')}
<details><summary>Figures by feature</summary>${TABLE('Importance by feature')}<thead><tr><th scope="col">Feature</th><th scope="col"
class="n">Worse by</th><th scope="col" class="n">Standard deviation</th><th scope="col" class="n">As a share of <%= it.importance.metric
%></th></tr></thead><tbody><% it.importance.rows.forEach((row) => { %><tr><th scope="row"><%= row.name %></th><td class="n"><%= row.mean %></td><td
class="n"><%= row.deviation %></td><td class="n"><%= row.share %></td></tr><% }) %></tbody></table></div></details><%
if (it.importance.leftOut > 0) { %><p class="meta"><%= it.importance.leftOut %> features with less importance are not drawn.</p><% }
if (it.importance.notComputable) { %><p class="meta">Not defined where they are shuffled: <%= it.importance.notComputable %>.</p><% }
%></section><% } %>`;

export const GROUPS = `<% if (it.groups.length > 0) { %><section aria-labelledby="groups"><h2 id="groups">Groups</h2>
<% it.groups.forEach((column) => { %><h3 class="by">By <%= column.name %></h3>
${FIGURE('column.chart', '<%= column.metric %> by <%= column.name %>', '<%= column.caption %>')}
<details><summary>Figures by <%= column.name %></summary>${TABLE('Figures by <%= column.name %>')}<thead><tr><th scope="col">Group</th><th
scope="col" class="n">Rows</th><% column.heads.forEach((head) => { %><th scope="col" class="n"><%= head %></th><% }) %></tr></thead><tbody><%
column.rows.forEach((row) => { %><tr><th scope="row"><%= row.group %></th><td class="n"><%= row.rows %></td><% row.cells.forEach((cell) => { %><td
class="n"><%= cell %></td><% }) %></tr><% }) %></tbody></table></div></details><% if (column.leftOut > 0) { %><p class="meta"><%= column.leftOut %>
smaller groups are not listed.</p><% } }) %></section><% } %>`;

export const DATA = `<section aria-labelledby="data"><h2 id="data">Training rows in the holdout</h2>
${TABLE('Training rows in the holdout')}<caption><span>The holdout has <%= it.rows %> rows<%= it.period %>.</span></caption><thead><tr><th
scope="col">Model</th><th scope="col" class="n">Training rows</th><th scope="col">Last of them</th><th scope="col" class="n">Also in the
holdout</th><th scope="col" class="n">Share</th><th scope="col" class="n">Allowed</th><th scope="col">Remark</th></tr></thead><tbody><%
it.leakage.forEach((one) => { %><tr><th scope="row"><%= one.whose %></th><td class="n"><%= one.trainRows %></td><td><%= one.trainTo %></td><td
class="n"><%= one.shared %></td><td class="n"><%= one.share %></td><td class="n"><%= one.allowed %></td><td class="t"><%= one.remark %></td></tr><%
}) %></tbody></table></div></section>`;
