/** Style sheet of a page: light, dark, narrow, printed. Colours keep a contrast of 4.5 for text and 3 for what is drawn. */
export const STYLES = `
:root{color-scheme:light dark;--ink:#1c2530;--soft:#515d6b;--page:#fff;--card:#f4f6f8;--rule:#d3dae1;--ref:#8d99a8;--win:#b3380b;--wash:#b3380b1f;
--bad:#b42318;--good:#17694a;--idle:#665600;--link:#1f5bb5}
@media (prefers-color-scheme:dark){:root{--ink:#e7ecf2;--soft:#a9b4c1;--page:#12171d;--card:#1b222b;--rule:#394451;--ref:#6d7a8b;--win:#ff9c54;
--wash:#ff9c5426;--bad:#ff8f86;--good:#6fd8a8;--idle:#e3c861;--link:#8fb8f6}}
*{box-sizing:border-box}
html{scroll-padding-top:1rem}
body{margin:0 auto;max-width:76rem;padding:1.5rem clamp(1rem,3vw,2rem) 4rem;background:var(--page);color:var(--ink);
font:16px/1.5 system-ui,sans-serif;
overflow-wrap:anywhere}
a{color:var(--link)}
h1{font-size:clamp(1.35rem,3.2vw,1.9rem);line-height:1.25;margin:.2rem 0 .6rem;max-width:44ch;text-wrap:balance}
h2{font-size:1.3rem;margin:2.75rem 0 .6rem;padding-top:.9rem;border-top:2px solid var(--rule)}
h3{font-size:1.02rem;margin:0 0 .3rem}h3.by{margin-top:1.5rem}
p{margin:0 0 .6rem;max-width:75ch}
.meta,figcaption,caption,small{color:var(--soft)}
.skip{position:absolute;left:-999rem;background:var(--page);padding:.5rem 1rem;z-index:1}
.skip:focus{left:1rem;top:.5rem}
:focus-visible{outline:3px solid var(--link);outline-offset:3px;border-radius:2px}
nav ul{display:flex;flex-wrap:wrap;gap:.25rem 1.25rem;list-style:none;margin:.9rem 0 0;padding:0}
.hidden{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
.cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(15.5rem,1fr));gap:.9rem;margin:1.25rem 0 0;padding:0;list-style:none}
.card{background:var(--card);border-left:5px solid var(--idle);border-radius:4px;padding:.8rem 1rem}
.card.bad{border-color:var(--bad)}.card.good{border-color:var(--good)}
.card p:last-child{margin:0}
.tag{font-weight:650;white-space:normal}
.tag::before{content:"○ "}.tag.good::before{content:"✓ "}.tag.bad::before{content:"▲ "}
.bad.tag{color:var(--bad)}.good.tag{color:var(--good)}.idle.tag{color:var(--idle)}
.scroll{overflow-x:auto;max-width:100%}.refs+.scroll,figure+figure{margin-top:1.25rem}
table{border-collapse:collapse;width:100%;font-size:.9rem}
caption{text-align:left;padding:0 0 .5rem;max-width:min(75ch,calc(100vw - 3rem))}
caption span{display:block;max-width:min(75ch,calc(100vw - 3rem))}
th,td{text-align:left;vertical-align:top;padding:.45rem 1rem .45rem 0;border-top:1px solid var(--rule);overflow-wrap:break-word}
thead th{border-top:0;color:var(--soft);font-weight:600;vertical-align:bottom}
.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
thead .n{white-space:normal}
td.t{min-width:14rem}
.feature{border-top:1px solid var(--rule);padding:1rem 0 .8rem}
@media (min-width:62rem){.feature{display:grid;grid-template-columns:24rem 1fr;column-gap:2.5rem}.feature>details{grid-column:1/-1}}
.refs{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(34rem,100%),1fr));gap:1.5rem 2.5rem;margin-top:1.5rem}
.refs svg.wide{width:100%;min-width:28rem;max-width:45rem}
.feature h3 .tag{font-size:.92rem;margin-left:.5rem}
.charts{display:flex;flex-wrap:wrap;gap:.5rem 2rem;align-items:flex-start;margin:.35rem 0}
figure{margin:0}figcaption{font-size:.82rem}.trend figcaption{max-width:13rem;line-height:1.35}
details>summary{cursor:pointer;color:var(--link);padding:.2rem 0;width:fit-content}
details.more>summary{font-weight:600;margin-top:1rem}
.numbers{display:flex;flex-wrap:wrap;gap:.5rem 3rem;padding:.3rem 0 .5rem}
.numbers table{width:auto;font-size:.85rem}
.numbers td,.numbers th{padding:.18rem 1.2rem .18rem 0}
dl{margin:0;font-size:.85rem}dl.f{display:grid;grid-template-columns:auto 1fr;gap:.18rem 1rem;align-content:start}dt{font-weight:600}dd{margin:0}
dl.g dd{margin:0 0 .6rem;max-width:75ch}
svg{display:block;height:auto;max-width:100%}
svg.small{width:20rem}.trend svg.small{width:13rem}
svg.wide{width:45rem;min-width:34rem;max-width:none}
svg text{font:10px system-ui,sans-serif;fill:var(--soft)}svg.wide text{font-size:11.5px}
.ref{fill:var(--ref)}.win{fill:var(--wash);stroke:var(--win);stroke-width:1.8}
.axis,.grid{stroke:var(--rule);fill:none}.line{fill:none;stroke:var(--win);stroke-width:1.6}
.bound{fill:none;stroke:var(--ink);stroke-width:1.3;stroke-dasharray:5 4}
.dot{fill:var(--win)}.hollow{fill:var(--page);stroke:var(--win);stroke-width:1.5}.alarm{fill:var(--bad);stroke:var(--page)}
.whisker{stroke:var(--win);stroke-width:1.8;fill:none}
.key{display:inline-block;width:1.5em;height:.8em;vertical-align:-.05em;margin-right:.4em;background:var(--ref)}
.key.w{background:var(--wash);border:2px solid var(--win)}
footer{margin-top:3rem;border-top:2px solid var(--rule);padding-top:.8rem;font-size:.85rem;color:var(--soft)}
@media (max-width:40rem){svg.small,.trend svg.small{width:100%}.charts figure{width:100%}th,td{padding-right:.7rem}}
@media print{:root{color-scheme:light;--ink:#000;--soft:#444;--page:#fff;--card:#fff;--rule:#bbb;--ref:#8d99a8;--win:#b3380b;--wash:#b3380b1f;
--bad:#b42318;
--good:#17694a;--idle:#665600;--link:#000}
@page{size:A4;margin:14mm 12mm}
html{font-size:11px}body{max-width:none;padding:0;font-size:1rem}*{print-color-adjust:exact;-webkit-print-color-adjust:exact}
nav,.skip,summary{display:none}details::details-content{display:block;content-visibility:visible;block-size:auto}
h2,h3{break-after:avoid}.feature{display:block}.feature,.card,tr,figure{break-inside:avoid}.scroll{overflow:visible}
svg.wide{min-width:0;width:100%;max-width:34rem}svg.small{width:15rem}
.card{border:1px solid var(--rule);border-left-width:5px}}
`;
