"""The look of a report: light and dark, on screen and on paper."""

CSS = """
:root{color-scheme:light dark;--bg:#fff;--fg:#1c1f24;--dim:#57606b;--grid:#e3e6ea;--canary:#b45309;
--baseline:#1d4ed8;--good:#15803d;--bad:#b91c1c;--link:#1d4ed8}
@media(prefers-color-scheme:dark){:root{--bg:#14171b;--fg:#e6e8eb;--dim:#a2abb5;--grid:#2b3138;
--canary:#f59e0b;--baseline:#60a5fa;--good:#4ade80;--bad:#f87171;--link:#8ab4f8}}
body{background:var(--bg);color:var(--fg);font:15px/1.5 system-ui,sans-serif;margin:0}
main{max-width:960px;margin:0 auto;padding:24px 16px}a{color:var(--link)}
h1{font-size:1.6rem}h2{margin-top:2.6rem;border-top:1px solid var(--grid);padding-top:1.4rem}
h3{margin-top:1.8rem}.dim{color:var(--dim)}.wide{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-size:.87rem}
th,td{text-align:left;padding:.3rem .6rem;border-bottom:1px solid var(--grid);vertical-align:top}
th{white-space:nowrap}td:first-child{white-space:nowrap}td:last-child{min-width:12rem}
span.good{color:var(--good);font-weight:600}span.bad{color:var(--bad);font-weight:600}
figure{margin:1.8rem 0}figcaption{font-size:.9rem}figure svg{width:100%;min-width:560px;height:auto;
display:block}
.legend{list-style:none;display:flex;flex-wrap:wrap;gap:.2rem 1.2rem;margin:.4rem 0;padding:0}
.legend li{color:var(--dim);font-size:.82rem}figure svg.key{width:22px;min-width:0;height:10px;
display:inline-block;margin-right:.4rem;vertical-align:middle}
details{margin-top:1.2rem}summary{cursor:pointer;color:var(--dim)}
pre{white-space:pre-wrap;font-size:.82rem;background:color-mix(in srgb,var(--fg) 6%,transparent);padding:1rem}
.grid{stroke:var(--grid)}.tick,.note{fill:var(--dim);font-size:11.5px}.line{fill:none;stroke-width:2}
.line.canary{stroke:var(--canary)}.line.baseline{stroke:var(--baseline);stroke-dasharray:7 5}
.line.good{stroke:var(--good)}.line.bad{stroke:var(--bad)}
.dot.canary{fill:var(--canary)}.dot.good{fill:var(--good)}.dot.bad{fill:var(--bad)}
.band.canary{fill:var(--canary);opacity:.18}
.level{stroke-dasharray:5 4;stroke:var(--dim)}.level.good{stroke:var(--good)}.level.bad{stroke:var(--bad)}
.note.good{fill:var(--good)}.note.bad{fill:var(--bad)}.event{stroke:var(--dim);stroke-dasharray:2 3}
@media print{main{max-width:none;padding:0}figure,tr{break-inside:avoid}h2,h3{break-after:avoid}
.wide{overflow:visible}details>*{display:block}figure svg{min-width:0}}
"""
