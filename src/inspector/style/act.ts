// Acting: the section of an order's page, the page of one event, and the bulk retry.

export const ACT_STYLE = `
.act-list, .ways, .means, .asked-for, .moves { padding: 0; list-style: none; }
.act-list > li { padding: .625rem 0; }
.act-list > li + li { border-top: 1px solid var(--line); }
.act-list > li:last-child { padding-bottom: 0; }
.act-row { display: flex; gap: .5rem 1rem; align-items: flex-start; justify-content: space-between; }
.act-row .button { flex: none; }
.order #act .panel-body > h3 { margin-top: 0; }
.act-what { min-width: 0; overflow-wrap: anywhere; }
.act-refused { color: var(--quiet); }
.act-list details { margin-top: .25rem; }
.act-list summary, .act summary { color: var(--quiet); }
.act-facts { margin-top: .875rem; padding-top: .75rem; border-top: 1px solid var(--line); }
.act-facts > summary { color: var(--text); font-weight: 520; }
.act-facts > summary .quiet { font-weight: 400; }
.ways { display: grid; gap: .375rem; counter-reset: way; margin-top: .375rem; }
.ways > li { counter-increment: way; position: relative; padding: .25rem .5rem .25rem 2rem; border-radius: .375rem; overflow-wrap: anywhere; }
.ways > li::before { content: counter(way); position: absolute; left: .5rem; color: var(--quiet); font-variant-numeric: tabular-nums; }
.ways .way-taken { background: var(--busy-ground); }
.ways .way-out { color: var(--quiet); }
.ways .way-out .way-leads { display: none; }
.ways .way-leads { margin-top: .125rem; }
.ways .answer-yes { color: var(--good); }
.ways .answer-no { color: var(--quiet); }
.ways .answer-depends { color: var(--quiet); font-style: italic; }
.act .chart-wide svg { min-width: 44rem; }
#sample .copyable code, #results .copyable code { white-space: nowrap; }
.act { display: grid; gap: .75rem; }
.act h1 code { font-size: .875rem; font-weight: 400; }
.act-order { display: flex; flex-wrap: wrap; gap: .25rem .625rem; align-items: center; overflow-wrap: anywhere; }
.act-columns { display: grid; gap: 1rem; grid-template-columns: minmax(0, 1fr); align-items: start; margin-top: .25rem; }
.act-form { max-width: 36rem; }
.act-form details > .stack { margin-top: .625rem; }
.field-error { color: var(--bad); }
.act-form .field :is(input, select, textarea)[aria-invalid="true"]:not([type="checkbox"]):not([type="radio"]) { border-color: var(--bad); }
.dry-run { grid-template-columns: minmax(0, 1fr); }
.dry-run .outcome { font-size: 1rem; overflow-wrap: anywhere; }
.dry-run .means { display: grid; gap: .375rem; }
.dry-run .means li { padding: .5rem .75rem; border-left: 3px solid var(--accent); background: var(--raised); border-radius: 0 .375rem .375rem 0; overflow-wrap: anywhere; }
.dry-run .asked-for { display: grid; gap: .25rem; }
.dry-run .asked-for li { display: flex; flex-wrap: wrap; gap: .125rem .375rem; align-items: center; overflow-wrap: anywhere; }
.confirm { display: grid; gap: .75rem; }
.confirm .note { overflow-wrap: anywhere; }
.moves { display: grid; gap: .5rem; }
.just-told { margin-bottom: 1rem; }
.bulk-start, .bulk-on { display: flex; flex-wrap: wrap; gap: .5rem .75rem; align-items: center; margin-top: 1rem; }
#sample, #results { margin-bottom: 1rem; }
/* Where there is room, what is typed stands at the left and what would come of it at the right; below each other they stand in the order of the steps. */
@media (min-width: 60.01rem) {
  .act-columns { grid-template: auto 1fr / minmax(0, 22rem) minmax(0, 1fr); }
  .act-columns > * { grid-column: 1; }
  .act-columns > :is(#dry-run, #now) { grid-column: 2; grid-row: 1 / span 2; }
  .act-columns:not(:has(#fill-in)) { grid-template: auto / minmax(0, 1fr) minmax(0, 22rem); }
  .act-columns:not(:has(#fill-in)) > #dry-run { grid-column: 1; grid-row: 1; }
  .act-columns:not(:has(#fill-in)) > #send { grid-column: 2; grid-row: 1; position: sticky; top: 4rem; }
}
@media (max-width: 40rem) { .act-row { flex-direction: column; } .act-row .button { width: 100%; text-align: center; } }
`;
