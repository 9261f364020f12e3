/** Page of a monitor run for Eta: self-contained, no script, nothing from the network. `<%= %>` escapes; `<%~ %>` is for charts alone,
  which escape theirs. */
export const REPORT_TEMPLATE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="color-scheme" content="light dark">
<title><%= it.headline %></title>
<style>
:root { --ink: #1d2733; --soft: #5a6675; --page: #fff; --card: #f5f7f9; --rule: #d7dde4; --ref: #93a1b1; --win: #c2410c; --bad: #b42318;
  --good: #1a6f4b;
  --idle: #6b5b00; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6ebf1; --soft: #a3afbd; --page: #12171d; --card: #1b222b; --rule: #36414d; --ref: #64748b;
  --win: #fb923c; --bad: #ff8a80; --good: #6bd6a4; --idle: #e2c55a; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 78rem; padding: 2rem 1.5rem 4rem; background: var(--page); color: var(--ink);
  font: 16px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.7rem; line-height: 1.25; margin: 0 0 .5rem; }
h2 { font-size: 1.2rem; margin: 2.5rem 0 .75rem; }
p, dl { margin: 0 0 .6rem; max-width: 70ch; }
.meta, small, caption { color: var(--soft); }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(18rem, 1fr)); gap: 1rem; margin-top: 1.25rem; }
.card { background: var(--card); border-left: 4px solid var(--rule); border-radius: 4px; padding: 1rem 1.25rem; }
.card h2 { margin: 0 0 .4rem; font-size: 1.05rem; }
.card.bad { border-color: var(--bad); } .card.good { border-color: var(--good); } .card.idle { border-color: var(--idle); }
.tag { font-weight: 600; white-space: nowrap; } .bad .tag, .tag.bad { color: var(--bad); } .good .tag, .tag.good { color: var(--good); }
.idle .tag, .tag.idle { color: var(--idle); }
.scroll { overflow-x: auto; } .scroll:focus-visible { outline: 3px solid var(--win); outline-offset: 3px; }
table { border-collapse: collapse; width: 100%; font-size: .9rem; }
caption { text-align: left; padding: 0 0 .6rem; }
th, td { text-align: left; vertical-align: top; padding: .55rem .8rem .55rem 0; border-top: 1px solid var(--rule); }
thead th { border-top: 0; color: var(--soft); font-weight: 600; vertical-align: bottom; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; } thead th.number { white-space: normal; }
td.why { min-width: 13rem; max-width: 22rem; } th[scope=row] { min-width: 7rem; overflow-wrap: anywhere; }
svg { display: block; width: clamp(11rem, 21vw, 18rem); height: auto; } svg text { font: 10px system-ui, sans-serif; fill: var(--soft); }
.ref { fill: var(--ref); fill-opacity: .55; } .win { fill: none; stroke: var(--win); stroke-width: 1.8; } .win-fill { fill: var(--win);
  fill-opacity: .16; }
.win-bar { fill: var(--win); fill-opacity: .85; } .axis { stroke: var(--rule); }
.key { display: inline-block; width: 1.4em; height: .8em; vertical-align: baseline; margin-right: .35em; }
.key.reference { background: var(--ref); opacity: .7; } .key.window { border: 2px solid var(--win); }
dt { font-weight: 600; } dd { margin: 0 0 .5rem; }
@media print { :root { color-scheme: light; --ink: #000; --page: #fff; --card: #fff; --soft: #444; --rule: #bbb; --ref: #93a1b1; --win:
  #c2410c; --bad: #b42318;
  --good: #1a6f4b; --idle: #6b5b00; } body { max-width: none; padding: 0; font-size: 11px; } tr, .card { break-inside: avoid; }
  .scroll { overflow: visible; } svg { width: 200px; height: auto; } * { print-color-adjust: exact; } @page { size: A4 landscape; margin: 12mm; } }
</style>
</head>
<body>
<header>
<h1><%= it.headline %></h1>
<p class="meta">Window <time datetime="<%= it.result.windowStart %>"><%= it.from %></time> to <time datetime="<%= it.result.windowEnd
  %>"><%= it.to %></time>,
<%= it.number(it.result.rows) %> rows of <%= it.number(it.result.requests) %> requests. Platform <%= it.result.platform %>.
<% if (it.answeredBy) { %>Now v<%= it.result.version %> serves; the window's rows were answered by <%= it.answeredBy %>.<% } %></p>
</header>
<main>
<div class="cards">
<section class="card <%= it.driftTone %>" aria-labelledby="drift"><h2 id="drift">Drift: <span class="tag"><%= it.driftWord %></span></h2>
<p><%= it.result.drift.reason %></p><p class="meta">Compared with <%= it.result.drift.reference %>.</p></section>
<section class="card <%= it.qualityTone %>" aria-labelledby="quality"><h2 id="quality">Quality: <span class="tag"><%= it.qualityWord %></span></h2>
<p><%= it.result.quality.reason %></p>
<p class="meta"><%= it.percent(it.result.quality.coverage) %> of the window's rows have a label.</p></section>
</div>
<% if (it.features.length > 0) { %>
<section aria-labelledby="features"><h2 id="features">Features</h2>
<p><span class="key reference" aria-hidden="true"></span>reference (grey)&ensp; <span class="key window" aria-hidden="true"></span>window (orange);
both drawn as shares of their own rows.</p>
<div class="scroll" tabindex="0" role="region" aria-label="Table of features">
<table>
<caption>Every watched feature, those that drifted first, then by the size of their difference in units of the least one that counts.</caption>
<thead><tr><th scope="col">Feature</th><th scope="col">Distributions</th><th scope="col" class="number">PSI</th>
<th scope="col" class="number">Distance, σ</th><th scope="col" class="number">KS</th><th scope="col" class="number">Missing now / before</th>
<th scope="col" class="number">Unseen</th><th scope="col">Why</th></tr></thead>
<tbody>
<% it.features.forEach((feature) => { %>
<tr><th scope="row"><%= feature.result.name %><br><span class="tag <%= feature.tone %>"><%= feature.word %></span></th>
<td><%~ feature.chart %></td>
<td class="number"><%= it.hundredths(feature.result.psiDebiased) %></td>
<td class="number"><%= it.hundredths(feature.result.wasserstein) %></td>
<td class="number"><%= it.hundredths(feature.result.ks && feature.result.ks.statistic) %></td>
<td class="number"><%= it.percent(feature.result.missingShare) %> / <%= it.percent(feature.result.referenceMissingShare) %></td>
<td class="number"><%= it.percent(feature.result.unseenShare) %></td>
<td class="why"><%= feature.result.reason %>
<% if (feature.result.unseen) { %><br><small>Unseen: <%= feature.result.unseen.join(', ') %></small><% } %>
<% if (feature.result.invalidShare > 0) { %><br><small><%= it.percent(feature.result.invalidShare) %> of the values are no
  numbers.</small><% } %></td></tr>
<% }) %>
</tbody></table></div>
<% if (it.result.drift.skipped.length > 0) { %>
<p class="meta">Not compared: <%= it.result.drift.skipped.map((column) => column.name + ' (' + column.reason + ')').join('; ') %>.</p>
<% } %>
</section>
<% } %>
<% if (it.metrics.length > 0) { %>
<section aria-labelledby="metrics"><h2 id="metrics">Quality</h2>
<table><caption><%= it.number(it.result.quality.labelled) %> rows of the window have a prediction and a label. The holdout is what the
  version was judged on
before it served.</caption>
<thead><tr><th scope="col">Metric</th><th scope="col" class="number">Window</th><th scope="col" class="number">Holdout</th>
<th scope="col" class="number">Bound</th><th scope="col">Verdict</th></tr></thead>
<tbody>
<% it.metrics.forEach((metric) => { %>
<tr><th scope="row"><%= metric.name %></th><td class="number"><%= it.figure(metric.value) %></td><td class="number"><%=
  it.figure(metric.holdout) %></td>
<td class="number"><%= metric.bound %></td><td><span class="tag <%= metric.tone %>"><%= metric.word %></span></td></tr>
<% }) %>
</tbody></table></section>
<% } %>
<section aria-labelledby="input"><h2 id="input">What was read</h2>
<% if (it.rejected.length === 0) { %><p>Every recorded line and row could be used.</p><% } else { %>
<table><caption>Lines and rows that could not be used, each cause with the place of the first.</caption>
<thead><tr><th scope="col">Cause</th><th scope="col" class="number">Count</th><th scope="col">First</th></tr></thead><tbody>
<% it.rejected.forEach((entry) => { %>
<tr><th scope="row"><%= entry.cause %></th><td class="number"><%= it.number(entry.count) %></td><td><%= entry.sample %></td></tr>
<% }) %>
</tbody></table><% } %></section>
<section aria-labelledby="method"><h2 id="method">How to read this</h2>
<dl><dt>Drifted</dt><dd>A difference that is beyond chance after correction for everything that was tested (Bonferroni within a feature,
  Benjamini–Hochberg over
features, false-discovery rate 5 %) and large enough: PSI of <%= it.effects.psi %> or a distance of <%= it.effects.wasserstein %> standard
  deviations or more,
<%= it.percent(it.effects.missing) %> more or fewer missing values, <%= it.percent(it.effects.unseen) %> values never seen in training.
  Rows that follow each other
in time are alike, so that a short window may differ for no lasting reason.</dd>
<dt>PSI</dt><dd>Population stability index over tenths of the reference, less its mean under no change.</dd>
<dt>Distance, σ</dt><dd>Wasserstein distance in standard deviations of the reference.</dd>
<dt>KS</dt><dd>Largest difference of the two cumulative shares (Kolmogorov–Smirnov).</dd>
<dt>Least size</dt><dd>With fewer than <%= it.number(it.spec.minimumRows) %> rows there is no verdict.</dd></dl></section>
</main>
</body>
</html>
`;
