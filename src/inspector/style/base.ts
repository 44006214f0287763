// Colours in light and dark, type and the elements as they stand without a class. Every text on its ground has a contrast
// of at least 4.5 : 1, in both.

export const BASE_STYLE = `
:root {
  color-scheme: light dark;
  --ground: #f6f7f9; --card: #ffffff; --raised: #f1f3f6; --line: #e2e5eb; --edge: #c9ced8;
  --text: #191c24; --quiet: #586070; --accent: #2f45c5; --on-accent: #ffffff; --accent-over: #2436a0; --hover: #f3f5fb;
  --good: #0d6633; --good-ground: #e3f4e9; --busy: #2c46b4; --busy-ground: #e8edfc; --held: #7a4b00; --held-ground: #fdf0d5;
  --bad: #b0231b; --bad-ground: #fde9e7; --calm: #525a69; --calm-ground: #eceff3;
  --mono: ui-monospace, SFMono-Regular, Menlo, "DejaVu Sans Mono", monospace;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #0d0f14; --card: #14171e; --raised: #1b1f28; --line: #262b36; --edge: #3a4150;
    --text: #e6e9f0; --quiet: #9ba4b6; --accent: #a6b6ff; --on-accent: #10163a; --accent-over: #c2cdff; --hover: #1a1e28;
    --good: #80dba5; --good-ground: #11301e; --busy: #acbaff; --busy-ground: #1c2448; --held: #f1c572; --held-ground: #35280a;
    --bad: #ff9d95; --bad-ground: #3d1815; --calm: #b2bac9; --calm-ground: #232833;
  }
}
@media (prefers-contrast: more) { :root { --quiet: var(--text); --line: var(--edge); --edge: var(--text); } }
*, *::before, *::after { box-sizing: border-box; }
html { scroll-padding-top: 4rem; }
body {
  margin: 0; background: var(--ground); color: var(--text); -webkit-text-size-adjust: 100%;
  font: .875rem/1.45 system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", sans-serif;
}
h1, h2, h3, p, dl, dd, ol, ul, pre, figure { margin: 0; }
h1 { font-size: 1.25rem; line-height: 1.3; font-weight: 620; letter-spacing: -.01em; overflow-wrap: anywhere; }
h2 { font-size: .9375rem; line-height: 1.35; font-weight: 620; }
h3 { font-size: .8125rem; font-weight: 620; color: var(--quiet); }
a { color: var(--accent); text-decoration: none; }
a:hover { text-decoration: underline; }
/* Inside a sentence a colour alone does not tell a link. */
:is(p, .notice, dd) a:not(.button, :has(> code)) { text-decoration: underline; text-underline-offset: .15em; }
/* Text of others may run from right to left: it must not turn round what stands beside it. */
bdi, code, .why, .any-length { unicode-bidi: isolate; }
code, kbd, pre { font-family: var(--mono); font-size: .9286em; }
code { overflow-wrap: anywhere; }
kbd { padding: 0 .3em; border: 1px solid var(--edge); border-radius: .25rem; color: var(--quiet); background: var(--card); }
time, .money, td, .number { font-variant-numeric: tabular-nums; }
time { white-space: nowrap; }
summary { cursor: pointer; }
button, input, select, textarea { font: inherit; color: inherit; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; border-radius: .25rem; }
main:focus-visible { outline: none; }
[hidden] { display: none !important; }
.hidden { position: absolute; width: 1px; height: 1px; margin: -1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
/* Where colours are the reader's own, what a ground said is said by a frame. */
@media (forced-colors: active) {
  .badge, .notice, .waiting, .count, .tab-count, .button { border: 1px solid; }
  .button.primary { border-width: 2px; }
  [aria-current]:not([data-row]) { outline: 2px solid Highlight; outline-offset: -2px; }
  .chart svg, .overview-chart svg, .overview-legend .key, .chart-key span, .live .dot { forced-color-adjust: none; }
}
@media (prefers-reduced-motion: no-preference) { .live .dot, .copy { transition: background-color .2s; } }
`;
