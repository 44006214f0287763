// The statechart of an order. Colours are the inspector's own variables, so both themes hold.

export const CHART_STYLE = `
.chart { margin: 0; }
.chart-box { overflow-x: auto; }
.chart-box:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
.chart-tall { display: none; }
.chart svg { display: block; height: auto; margin: 0 auto; }
.chart-wide svg { width: 100%; min-width: 58rem; max-width: 82rem; }
.chart-tall svg { max-width: 100%; min-width: 20rem; }
.chart .reach { fill: none; stroke: transparent; stroke-width: 12; }
.chart .line { fill: none; stroke-width: 1.25; stroke: var(--edge); }
.chart .head path { fill: var(--edge); }
.chart .way.quiet:hover .line { stroke: var(--quiet); stroke-width: 2; }
.chart .way.walked .line { stroke: var(--text); stroke-width: 1.75; }
.chart .head.walked path { fill: var(--text); }
.chart .way.now .line { stroke: var(--accent); stroke-width: 3; }
.chart .head.now path { fill: var(--accent); }
.chart .way.candidate .line { stroke: var(--accent); stroke-width: 2; stroke-dasharray: 6 4; }
.chart .head.candidate path { fill: var(--accent); }
.chart .start { fill: var(--text); }
.chart .state rect { fill: var(--card); stroke: var(--edge); stroke-width: 1.25; }
.chart .state text { text-anchor: middle; fill: var(--quiet); font-size: 13px; }
.chart .state .when { font-size: 10.5px; font-variant-numeric: tabular-nums; }
.chart .state.visited rect { stroke: var(--text); stroke-width: 1.5; }
.chart .state.visited .name { fill: var(--text); font-weight: 550; }
.chart .state.current rect { fill: var(--accent); stroke: var(--accent); }
.chart .state.current text { fill: var(--on-accent); }
.chart .state.current .name { font-weight: 650; }
.chart .state.target:not(.current) rect { stroke: var(--accent); stroke-width: 2; stroke-dasharray: 6 4; }
.chart .mark rect { fill: var(--card); stroke: var(--text); stroke-width: 1.25; }
.chart .mark text { text-anchor: middle; fill: var(--text); font-size: 11px; font-weight: 600; font-variant-numeric: tabular-nums; }
.chart .mark .told { font-size: 10.5px; font-weight: 400; fill: var(--text); paint-order: stroke; stroke: var(--card); stroke-width: 4px; stroke-linejoin: round; }
.chart .mark.now rect { fill: var(--accent); stroke: var(--accent); }
.chart .mark.now .number { fill: var(--on-accent); }
.chart .mark.candidate rect { stroke: var(--accent); }
.chart .mark.candidate .number { fill: var(--accent); }
.chart-key { display: flex; flex-wrap: wrap; gap: .25rem 1rem; margin: .75rem 0 .25rem; padding: 0; list-style: none; color: var(--quiet); font-size: .8125rem; }
.chart-key li { display: flex; align-items: center; gap: .375rem; }
.chart-key span { min-width: 1.5rem; height: 1rem; border: 1.5px solid var(--text); border-radius: .3125rem; color: var(--text); font-size: .6875rem; font-weight: 600; line-height: .8125rem; text-align: center; }
.chart-key .key-current { background: var(--accent); border-color: var(--accent); }
.chart-key .key-number { min-width: 1rem; border-radius: 1rem; }
.chart-key .key-candidate { border-style: dashed; border-color: var(--accent); }
.chart summary { color: var(--quiet); padding: .25rem 0; }
.chart .table-box { overflow-x: auto; margin: .5rem 0 1rem; }
@media (max-width: 46rem) {
  .chart-wide { display: none; }
  .chart-tall { display: block; }
}
`;
