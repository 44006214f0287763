// The overview: panels two by two, tables whose rows lead on, charts whose labels do not shrink with the drawing.

export const OVERVIEW_STYLE = `
.overview-two { display: grid; gap: 1rem; grid-template-columns: repeat(2, minmax(0, 1fr)); align-items: stretch; }
.overview-uneven { grid-template-columns: minmax(0, 13fr) minmax(0, 7fr); }
@media (max-width: 66rem) { .overview-two { grid-template-columns: minmax(0, 1fr); } }
.overview { display: grid; gap: 1rem; grid-template-columns: minmax(0, 1fr); }
.overview .panel-body:has(> .scroll:first-child) { padding: 0; }
.overview .panel-head .aside a { text-decoration: underline; text-underline-offset: .15em; }
.headline { padding: .75rem 1rem; border-radius: .625rem; border-left: 4px solid currentColor; }
.headline-sentence { font-size: 1.0625rem; font-weight: 560; }
.headline ul { margin-top: .25rem; padding: 0; list-style: none; display: grid; gap: .125rem; }
.headline :is(li, p:not(.headline-sentence)) { color: var(--text); }
.headline li a { color: inherit; font-weight: 560; text-decoration: underline; text-underline-offset: .15em; }
.overview-foot { padding: .625rem 1rem; border-top: 1px solid var(--line); text-wrap: pretty; }
.overview-stuck tbody th { white-space: normal; font-size: .875rem; font-weight: 520; color: var(--text); }
.overview-stuck tbody th .note { display: block; font-weight: 400; }
.overview tbody th { color: var(--text); font-size: .875rem; }
.overview tbody th .note { font-weight: 400; }
.overview-name { text-transform: capitalize; }
.overview-lanes tbody th { white-space: normal; }
@media (min-width: 40.01rem) { .overview-states :is(th, td):not(:first-child, :last-child) { padding-left: .4375rem; padding-right: .4375rem; } }
.overview-sum > * { font-weight: 620; }
.overview-alarm { color: var(--bad); font-weight: 620; }
.overview-error { color: var(--bad); overflow-wrap: anywhere; }
.overview-inner { margin: .5rem -1rem -.875rem; border-top: 1px solid var(--line); }
.overview-mix { display: flex; flex-wrap: wrap; gap: .25rem .75rem; padding: 0; list-style: none; }
.overview-mix li { white-space: nowrap; }
.overview-switch { display: inline-flex; border: 1px solid var(--edge); border-radius: .375rem; overflow: hidden; }
.overview-switch a { padding: .25rem .75rem; color: var(--quiet); font-weight: 520; background: var(--card); }
.overview-switch a + a { border-left: 1px solid var(--edge); }
.overview-switch a[aria-current] { background: var(--raised); color: var(--text); }
.overview-switch a:focus-visible { outline-offset: -2px; }
.overview-legend { display: flex; flex-wrap: wrap; gap: .25rem 1rem; padding: 0; margin: 0 0 .75rem; list-style: none; color: var(--quiet); font-size: .8125rem; }
.overview-legend .number { color: var(--text); font-weight: 560; }
.overview-legend .key { display: inline-block; width: .75rem; height: .75rem; margin-right: .375rem; border-radius: .1875rem; vertical-align: -.0625rem; background: var(--series, var(--edge)); }
.overview-chart { display: grid; grid-template: "y plot" auto ". x" auto / auto minmax(0, 1fr); gap: .25rem .625rem; }
.overview-chart svg { grid-area: plot; display: block; width: 100%; height: 11rem; overflow: visible; }
.axis-y { grid-area: y; display: flex; flex-direction: column; justify-content: space-between; margin: -.5rem 0; text-align: right; }
.axis-x { grid-area: x; display: grid; grid-auto-flow: column; grid-auto-columns: minmax(0, 1fr); }
.axis-x, .axis-y { color: var(--quiet); font-size: .75rem; line-height: 1rem; font-variant-numeric: tabular-nums; }
.grid-line { stroke: var(--line); vector-effect: non-scaling-stroke; }
.line { fill: none; stroke: var(--series); stroke-width: 2; stroke-linejoin: round; vector-effect: non-scaling-stroke; }
.line-failed { stroke-dasharray: 5 3; }
.line-now { stroke-opacity: .35; }
.strip { fill: transparent; }
.strip-now { fill: var(--text); fill-opacity: .04; }
.strip:hover { fill: var(--text); fill-opacity: .06; }
[class^="fill-"] { fill: var(--series); }
.line-created, .key-created { --series: #7d8798; }
.line-subscribed, .key-subscribed, .fill-applied, .key-applied { --series: #2a9d5c; }
.line-failed, .key-failed { --series: #d2483d; }
.fill-duplicate, .key-duplicate { --series: #6f86d6; }
.fill-stale, .key-stale { --series: #9db0e6; }
.fill-ignored, .key-ignored { --series: #a3abb8; }
.fill-foreign, .key-foreign { --series: #c6ccd5; }
.fill-surplus, .key-surplus { --series: #e0a32e; }
.fill-unmatched, .key-unmatched { --series: #b97a13; }
.fill-parked, .key-parked { --series: #e0766c; }
.fill-mismatch, .key-mismatch { --series: #c93b30; }
.fill-illegal, .key-illegal { --series: #8f1f18; }
@media (prefers-color-scheme: dark) {
  .fill-ignored, .key-ignored { --series: #7c8596; }
  .fill-foreign, .key-foreign { --series: #59616f; }
  .fill-illegal, .key-illegal { --series: #ff5c4f; }
}
.overview-table { margin-top: .75rem; }
.overview-table summary { color: var(--quiet); font-size: .8125rem; }
.overview-table .scroll { margin: .5rem -1rem -.875rem; max-height: 18rem; overflow: auto; border-top: 1px solid var(--line); }
@media (max-width: 40rem) {
  table.overview-states tr { grid-template-columns: repeat(4, minmax(0, 1fr)); }
  .overview-chart svg { height: 9rem; }
}
`;
