// The page of one order.

export const ORDER_STYLE = `
.crumbs { font-size: .8125rem; color: var(--quiet); }
.order { display: grid; gap: 1rem; }
.order-head { display: grid; gap: .375rem; }
.order-head h1 { display: flex; flex-wrap: wrap; align-items: center; gap: .375rem .625rem; }
.order-ids { display: flex; flex-wrap: wrap; gap: .125rem .75rem; align-items: center; min-width: 0; overflow-wrap: anywhere; }
.waiting { margin-top: .375rem; padding: .75rem 1rem; border-radius: .625rem; border-left: 4px solid currentColor; overflow-wrap: anywhere; }
.waiting-sentence { font-size: 1.0625rem; font-weight: 560; line-height: 1.4; }
.waiting-detail { color: var(--text); margin-top: .125rem; }
.waiting-times { display: flex; flex-wrap: wrap; gap: .125rem 1.25rem; margin-top: .25rem; color: var(--text); font-size: .8125rem; }
/* Labels beside, not above: a box that says one thing is read in one look. */
.guide { margin-top: .625rem; color: var(--text); display: grid; gap: .25rem; }
.guide div { display: grid; grid-template-columns: 10.5rem minmax(0, 1fr); gap: 0 .75rem; }
.guide dt { font-weight: 560; }
.waiting .buttons { margin-top: .75rem; gap: .5rem .75rem; }
.waiting .ask-provider { margin: 0; }
.waiting-times .next { font-weight: 560; }
.sections { display: flex; flex-wrap: wrap; gap: .25rem 1.125rem; padding: .25rem 0; border-bottom: 1px solid var(--line); }
.sections a { padding: .25rem 0; font-weight: 520; }
.order-columns { display: grid; gap: 1rem; grid-template-columns: minmax(0, 1.55fr) minmax(0, 1fr); align-items: start; }
.order-main, .order-side { display: grid; gap: 1rem; min-width: 0; align-content: start; }
.order-side .facts div { grid-template-columns: minmax(6.5rem, 8.5rem) minmax(0, 1fr); }
.order-more { display: flex; gap: 1.25rem; padding-top: .75rem; }
.inline-json { padding: .375rem .5rem; white-space: pre-wrap; overflow-wrap: anywhere; }
.show-kinds { display: flex; flex-wrap: wrap; gap: .375rem; margin-bottom: .75rem; }
.show-kinds .chip[aria-current] { background: var(--accent); border-color: var(--accent); color: var(--on-accent); }
.order .to-come { margin-bottom: .875rem; padding: .5rem .75rem; border: 1px dashed var(--edge); border-radius: .5rem; }
.order .to-come ul { padding: 0; list-style: none; }
.order .to-come li { overflow-wrap: anywhere; }
.order .timeline, .order .steps, .order .because, .order .under-way { padding: 0; list-style: none; }
.order .entry { position: relative; display: grid; grid-template-columns: 9.5rem minmax(0, 1fr); gap: .125rem 1.5rem; padding: .5rem 0; }
.order .entry + .entry { border-top: 1px solid var(--line); }
.order .entry-at { color: var(--quiet); font-size: .8125rem; padding-top: .0625rem; }
.order .entry-what { position: relative; display: grid; gap: .125rem; min-width: 0; overflow-wrap: anywhere; }
.order .entry-what::before { content: ""; position: absolute; left: -1.0625rem; top: .375rem; width: .5625rem; height: .5625rem; border-radius: 50%; border: 2px solid var(--quiet); background: var(--card); }
.order .entry-transition .entry-what::before { border-color: var(--accent); background: var(--accent); }
.order .entry-received .entry-what::before { border-color: var(--good); background: var(--good); }
.order .verdict-mismatch .entry-what::before, .order .verdict-surplus .entry-what::before { border-color: var(--held); background: var(--held); }
.order .entry-effect .entry-what::before, .order .entry-notification .entry-what::before { border-radius: .125rem; }
.order .entry-finding .entry-what::before { border-color: var(--bad); background: var(--bad); }
.order .entry-unapplied .entry-what { padding: .375rem .625rem; border-left: 3px solid var(--edge); border-radius: 0 .375rem .375rem 0; background: var(--raised); }
.order :is(.verdict-illegal, .verdict-parked) .entry-what { border-left-color: var(--bad); }
.order .verdict-unmatched .entry-what { border-left-color: var(--held); }
.order .entry-unapplied .became { font-weight: 520; }
.order .entry-steps { display: grid; gap: .125rem; padding: 0; list-style: none; }
.order .entry-steps > li { display: flex; flex-wrap: wrap; gap: .125rem .5rem; align-items: baseline; }
.order .entry-steps .quiet a { text-decoration: underline; text-underline-offset: .15em; }
.order .entry-steps summary { color: var(--quiet); font-size: .8125rem; }
.order .entry-steps details[open] { flex-basis: 100%; min-width: 0; }
.order .entry-steps .scroll { margin: .25rem 0; }
.order .entry-title { display: flex; flex-wrap: wrap; gap: .25rem .5rem; align-items: baseline; }
.order .entry-foot { display: flex; flex-wrap: wrap; gap: 0 .625rem; align-items: center; font-size: .8125rem; }
.order .why { overflow-wrap: anywhere; }
.order .steps li + li { border-top: 1px solid var(--line); }
.order .steps summary { display: grid; grid-template-columns: 1.75rem minmax(8rem, 1fr) auto auto; gap: .25rem .75rem; align-items: baseline; padding: .4375rem 0; }
.order .steps summary:hover { background: var(--hover); }
.order .steps summary::marker { content: none; }
.order .steps summary::-webkit-details-marker { display: none; }
.order .step-version { color: var(--quiet); text-align: right; font-variant-numeric: tabular-nums; }
.order .step-version::before { content: "▸ "; font-size: .625rem; }
.order details[open] > summary .step-version::before { content: "▾ "; }
.order .step-at { color: var(--quiet); font-size: .8125rem; }
.order .step-body { display: grid; gap: .5rem; padding: .125rem 0 .875rem 2.5rem; min-width: 0; overflow-wrap: anywhere; }
.order .fields { display: flex; flex-wrap: wrap; gap: .125rem 1.25rem; }
.order .fields div { display: flex; gap: .375rem; min-width: 0; }
.order .fields dt { color: var(--quiet); flex: none; }
.order .diff { font-size: .8125rem; border: 1px solid var(--line); border-radius: .375rem; }
.order .diff th, .order .diff td { padding: .25rem .625rem; vertical-align: top; }
.order .diff tbody th { font-weight: 400; white-space: normal; }
.order .diff .before { color: var(--quiet); }
.order .diff .after { font-weight: 560; }
.order .effects .error { max-width: 18rem; overflow-wrap: anywhere; }
.order .effects th[scope=row], .order .payments th[scope=row], .order .moved-back th[scope=row], .order .truth-table th[scope=row] { color: var(--text); white-space: normal; font-weight: 520; overflow-wrap: anywhere; }
.order .effects th .quiet { display: block; font-weight: 400; }
.order .effect-dead { background: var(--bad-ground); }
.order .panel-body:not(:has(> .scroll:only-child)) > .scroll { margin: 0 -1rem; }
.order .equation { display: grid; max-width: 30rem; }
.order .term { display: flex; justify-content: space-between; gap: 1rem; padding: .1875rem 0; }
.order .term dt { color: var(--quiet); }
.order .term dd { font-variant-numeric: tabular-nums; }
.order .sign { display: inline-block; width: 1.125rem; }
.order .term.net { border-top: 1px solid var(--edge); font-weight: 620; }
.order .term.net dt { color: var(--text); }
.order .meaning { margin: .5rem 0; font-weight: 520; }
.order .panel-body > h3 { margin: .875rem 0 .375rem; }
.ask-provider { display: flex; flex-wrap: wrap; gap: .375rem .75rem; align-items: center; margin-top: .75rem; }
#provider-truth:empty { display: none; }
#provider-truth, .truth { min-width: 0; }
#provider-truth > .truth { padding: .875rem 1rem; background: var(--card); border: 1px solid var(--accent); border-radius: .625rem; }
.truth { display: grid; gap: .625rem; }
.order .differs { background: var(--bad-ground); }
.order .at { display: flex; flex-wrap: wrap; gap: .375rem .625rem; align-items: center; margin-bottom: .75rem; }
.order .at label { overflow-wrap: anywhere; }
.order .at input:not([type="checkbox"]) { width: auto; }
.access-answer { padding: .5rem .75rem; border-radius: .5rem; font-weight: 560; }
.order .because { margin: .5rem 0; padding-left: .75rem; display: grid; gap: .125rem; }
.order .grants .own { background: var(--hover); box-shadow: inset 3px 0 var(--accent); }
.order .grants td .quiet { display: block; }
.quiet + .raw-body { margin-top: .5rem; }
.raw-body { max-height: 40rem; overflow: auto; white-space: pre-wrap; overflow-wrap: anywhere; }
.wrap { overflow-wrap: anywhere; }
.raw-lead { color: var(--quiet); }
.order-find { display: flex; gap: .5rem; max-width: 36rem; margin-top: 1rem; }
/* Beside the timeline there is no room for columns: each row is a small list there, as on a phone. */
@media (min-width: 70rem) {
  .order-side table.cards thead { position: absolute; clip-path: inset(50%); }
  .order-side table.cards, .order-side table.cards tbody { display: block; }
  .order-side table.cards tr { display: grid; gap: .125rem; padding: .5rem 1rem; }
  .order-side table.cards tbody tr + tr { border-top: 1px solid var(--line); }
  .order-side table.cards td, .order-side table.cards th, .order-side table.cards tbody tr + tr > * { display: flex; justify-content: space-between; gap: 1rem; padding: .125rem 0; border: 0; text-align: right; }
  .order-side table.cards [data-label]::before { content: attr(data-label); color: var(--quiet); text-align: left; font-weight: 400; font-size: .875rem; flex: none; }
}
@media (min-width: 40.01rem) { .order .effects .error { min-width: 10rem; } .order .effects th[scope=row] { min-width: 14rem; } }
@media (max-width: 69.99rem) { .order-columns { grid-template-columns: minmax(0, 1fr); } }
@media (max-width: 40rem) {
  .guide div { grid-template-columns: minmax(0, 1fr); }
  .order .entry { grid-template-columns: minmax(0, 1fr); padding-left: 1rem; }
  .order .entry-what::before { left: -1rem; top: -.875rem; }
  .order .steps summary { grid-template-columns: 1.75rem minmax(0, 1fr); }
  .order .step-path { grid-column: 2; }
  .order .step-at { grid-column: 2; }
  .order .step-body { padding-left: .5rem; }
}
`;
