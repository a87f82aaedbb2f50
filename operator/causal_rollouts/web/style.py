"""The look of a report: light and dark, on screen and on paper."""

CSS = """
:root{color-scheme:light dark;--bg:#fff;--fg:#1c1f24;--dim:#5b6470;--grid:#e3e6ea;--canary:#b45309;
--baseline:#1d4ed8;--good:#15803d;--bad:#b91c1c}
@media(prefers-color-scheme:dark){:root{--bg:#14171b;--fg:#e6e8eb;--dim:#9aa3ad;--grid:#2b3138;
--canary:#f59e0b;--baseline:#60a5fa;--good:#4ade80;--bad:#f87171}}
body{background:var(--bg);color:var(--fg);font:15px/1.5 system-ui,sans-serif;margin:0}
main{max-width:960px;margin:0 auto;padding:24px}
h1{font-size:1.6rem}h2{margin-top:2.2rem;border-top:1px solid var(--grid);padding-top:1.2rem}
table{border-collapse:collapse;width:100%;font-size:.9rem}
th,td{text-align:left;padding:.3rem .6rem;border-bottom:1px solid var(--grid);vertical-align:top}
td.good{color:var(--good);font-weight:600}td.bad{color:var(--bad);font-weight:600}
figure{margin:1.2rem 0}figcaption{color:var(--dim);font-size:.85rem}svg{width:100%;height:auto}
pre{white-space:pre-wrap;font-size:.82rem;background:color-mix(in srgb,var(--fg) 6%,transparent);padding:1rem}
.grid{stroke:var(--grid)}.tick,.note{fill:var(--dim);font-size:11px}.line{fill:none;stroke-width:2}
.line.canary{stroke:var(--canary)}.line.baseline{stroke:var(--baseline)}.line.good{stroke:var(--good)}
.line.bad{stroke:var(--bad)}.band.canary{fill:var(--canary);opacity:.18}
.level{stroke-dasharray:5 4;stroke:var(--dim)}.level.good{stroke:var(--good)}.level.bad{stroke:var(--bad)}
.note.good{fill:var(--good)}.note.bad{fill:var(--bad)}.event{stroke:var(--dim);stroke-dasharray:2 3}
@media print{main{max-width:none;padding:0}section{break-inside:avoid-page}}
"""
