"""The look of a report: light and dark, on a broad screen, on a phone and on paper."""

CSS = """
:root{color-scheme:light;--bg:#fff;--fg:#1c1f24;--dim:#57606b;--grid:#e3e6ea;--canary:#b45309;
--baseline:#1d4ed8;--good:#15803d;--bad:#b91c1c;--link:#1d4ed8}
@media screen and (prefers-color-scheme:dark){:root{color-scheme:dark;--bg:#14171b;--fg:#e6e8eb;--dim:#a2abb5;
--grid:#2b3138;--canary:#f59e0b;--baseline:#60a5fa;--good:#4ade80;--bad:#f87171;--link:#8ab4f8}}
*{box-sizing:border-box}
body{background:var(--bg);color:var(--fg);font:15px/1.5 system-ui,sans-serif;margin:0;overflow-wrap:anywhere}
main{max-width:1060px;margin:0 auto;padding:24px 16px}a{color:var(--link)}
:focus-visible{outline:2px solid var(--link);outline-offset:2px}
h1{font-size:1.6rem;line-height:1.25}h2{margin-top:2.6rem;border-top:1px solid var(--grid);padding-top:1.4rem}
h3{margin-top:1.8rem}p,li,figcaption{max-width:52rem}.dim{color:var(--dim)}.wide{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-size:.87rem;overflow-wrap:normal}
th,td{text-align:left;padding:.3rem .55rem;border-bottom:1px solid var(--grid);vertical-align:top}
th{vertical-align:bottom;color:var(--dim);font-weight:600}
td.short{white-space:nowrap}td.number{min-width:8.5rem}td.prose{min-width:13rem;overflow-wrap:anywhere}
span.good{color:var(--good);font-weight:600}span.bad{color:var(--bad);font-weight:600}
figure{margin:1.8rem 0}figcaption{font-size:.9rem}figure>svg{width:100%;height:auto;display:block}
figure>svg.slim{display:none;max-width:460px}
.legend{list-style:none;display:flex;flex-wrap:wrap;gap:.2rem 1.2rem;margin:.4rem 0;padding:0}
.legend li{color:var(--dim);font-size:.82rem}
.key{width:22px;height:10px;display:inline-block;margin-right:.4rem;vertical-align:middle}
details{margin-top:1.2rem}summary{cursor:pointer;color:var(--dim)}
pre{white-space:pre-wrap;font-size:.82rem;background:color-mix(in srgb,var(--fg) 6%,transparent);padding:1rem}
.grid{stroke:var(--grid)}.tick,.note{fill:var(--dim);font-size:11.5px}.line{fill:none;stroke-width:2}
.note{paint-order:stroke;stroke:var(--bg);stroke-width:3px;stroke-linejoin:round}
.line.canary{stroke:var(--canary)}.line.baseline{stroke:var(--baseline);stroke-dasharray:7 5}
.line.good{stroke:var(--good)}.line.bad{stroke:var(--bad)}
.dot.canary{fill:var(--canary)}.dot.good{fill:var(--good)}.dot.bad{fill:var(--bad)}
.band.canary{fill:var(--canary);opacity:.22}.band.wide{fill:var(--baseline);opacity:.13}
.level{stroke-dasharray:5 4;stroke:var(--dim)}.level.good{stroke:var(--good)}.level.bad{stroke:var(--bad)}
.note.good{fill:var(--good)}.note.bad{fill:var(--bad)}.event{stroke:var(--dim);stroke-dasharray:2 3}
@media screen and (max-width:640px){
figure>svg.broad{display:none}figure>svg.slim{display:block}}
@media screen and (max-width:960px){
table,tbody{display:block}thead{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
tr{display:grid;grid-template-columns:repeat(auto-fill,minmax(9.4rem,1fr));gap:0 .8rem;
border-bottom:1px solid var(--grid);padding:.5rem 0}
td,td.prose,td.number{display:block;min-width:0;border:0;padding:.1rem 0;grid-column:1/-1}
td.short{white-space:normal;grid-column:auto}td:first-child{grid-column:1/-1;font-weight:600}
td:empty{display:none}
td::before{content:attr(data-of)": ";content:attr(data-of)": "/"";color:var(--dim);font-weight:400}
}
@media print{main{max-width:none;padding:0}figure,tr,li{break-inside:avoid}h2,h3,summary{break-after:avoid}
thead{display:table-header-group}.wide{overflow:visible}details>*{display:block}
details::details-content{content-visibility:visible;block-size:auto}}
@page{margin:14mm}
"""
