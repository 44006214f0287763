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
.waiting-times .next { font-weight: 560; }
.sections { display: flex; flex-wrap: wrap; gap: .25rem 1.125rem; padding: .25rem 0; border-bottom: 1px solid var(--line); }
.sections a { padding: .25rem 0; font-weight: 520; }
.order-columns { display: grid; gap: 1rem; grid-template-columns: minmax(0, 1.55fr) minmax(0, 1fr); align-items: start; }
.order-main, .order-side { display: grid; gap: 1rem; min-width: 0; align-content: start; }
.order-side .facts div { grid-template-columns: minmax(6.5rem, 8.5rem) minmax(0, 1fr); }
.more { display: flex; gap: 1.25rem; padding-top: .75rem; }
.inline-json { padding: .375rem .5rem; white-space: pre-wrap; overflow-wrap: anywhere; }
.filters { display: flex; flex-wrap: wrap; gap: .375rem; margin-bottom: .75rem; }
.filters .chip[aria-current] { background: var(--accent); border-color: var(--accent); color: var(--on-accent); }
.to-come { margin-bottom: .875rem; padding: .5rem .75rem; border: 1px dashed var(--edge); border-radius: .5rem; }
.to-come ul { padding: 0; list-style: none; }
.to-come li { overflow-wrap: anywhere; }
.timeline, .steps, .because, .under-way { padding: 0; list-style: none; }
.entry { position: relative; display: grid; grid-template-columns: 9.5rem minmax(0, 1fr); gap: .125rem 1.5rem; padding: .5rem 0; }
.entry + .entry { border-top: 1px solid var(--line); }
.entry-at { color: var(--quiet); font-size: .8125rem; padding-top: .0625rem; }
.entry-what { position: relative; display: grid; gap: .125rem; min-width: 0; overflow-wrap: anywhere; }
.entry-what::before { content: ""; position: absolute; left: -1.0625rem; top: .375rem; width: .5625rem; height: .5625rem; border-radius: 50%; border: 2px solid var(--quiet); background: var(--card); }
.entry-transition .entry-what::before { border-color: var(--accent); background: var(--accent); }
.entry-received .entry-what::before { border-color: var(--good); background: var(--good); }
.entry-effect .entry-what::before, .entry-notification .entry-what::before { border-radius: .125rem; }
.entry-finding .entry-what::before { border-color: var(--bad); background: var(--bad); }
.entry-title { display: flex; flex-wrap: wrap; gap: .25rem .5rem; align-items: baseline; }
.entry-foot { display: flex; flex-wrap: wrap; gap: 0 .625rem; align-items: center; font-size: .8125rem; }
.why { overflow-wrap: anywhere; }
.steps li + li { border-top: 1px solid var(--line); }
.steps summary { display: grid; grid-template-columns: 1.75rem minmax(8rem, 1fr) auto auto; gap: .25rem .75rem; align-items: baseline; padding: .4375rem 0; }
.steps summary:hover { background: var(--hover); }
.steps summary::marker { content: none; }
.steps summary::-webkit-details-marker { display: none; }
.step-version { color: var(--quiet); text-align: right; font-variant-numeric: tabular-nums; }
.step-version::before { content: "▸ "; font-size: .625rem; }
details[open] > summary .step-version::before { content: "▾ "; }
.step-at { color: var(--quiet); font-size: .8125rem; }
.step-body { display: grid; gap: .5rem; padding: .125rem 0 .875rem 2.5rem; min-width: 0; overflow-wrap: anywhere; }
.fields { display: flex; flex-wrap: wrap; gap: .125rem 1.25rem; }
.fields div { display: flex; gap: .375rem; min-width: 0; }
.fields dt { color: var(--quiet); }
.diff { font-size: .8125rem; border: 1px solid var(--line); border-radius: .375rem; }
.diff th, .diff td { padding: .25rem .625rem; vertical-align: top; }
.diff tbody th { font-weight: 400; white-space: normal; }
.diff .before { color: var(--quiet); }
.diff .after { font-weight: 560; }
.effects .error { max-width: 18rem; overflow-wrap: anywhere; }
.effects th[scope=row], .payments th[scope=row], .moved-back th[scope=row], .truth-table th[scope=row] { color: var(--text); white-space: normal; font-weight: 520; overflow-wrap: anywhere; }
.effects th .quiet { display: block; font-weight: 400; }
.effects td code { font-size: .75rem; }
.effect-dead { background: var(--bad-ground); }
.order-side .scroll, .order-main .panel-body > .scroll { margin: 0 -1rem; }
.equation { display: flex; flex-wrap: wrap; gap: .5rem 1rem; align-items: end; }
.term { display: grid; }
.term dt { color: var(--quiet); font-size: .8125rem; }
.term dd { font-size: 1.0625rem; font-weight: 560; white-space: nowrap; }
.term .sign { margin-right: .5rem; color: var(--quiet); font-weight: 400; }
.term.price { padding-left: 1rem; border-left: 1px solid var(--line); }
.term.price dd { font-weight: 400; }
.meaning { margin: .5rem 0; font-weight: 520; }
.panel-body h3 { margin: .875rem 0 .375rem; }
.ask-provider { display: flex; flex-wrap: wrap; gap: .375rem .75rem; align-items: center; margin-top: .75rem; }
#provider-truth:empty { display: none; }
#provider-truth, .truth { min-width: 0; }
#provider-truth > .truth { padding: .875rem 1rem; background: var(--card); border: 1px solid var(--accent); border-radius: .625rem; }
.truth { display: grid; gap: .625rem; }
.differs { background: var(--bad-ground); }
.at { display: flex; flex-wrap: wrap; gap: .375rem .625rem; align-items: center; margin-bottom: .75rem; }
.at label { overflow-wrap: anywhere; }
.at input:not([type="checkbox"]) { width: auto; }
.access-answer { padding: .5rem .75rem; border-radius: .5rem; font-weight: 560; }
.because { margin: .5rem 0; padding-left: .75rem; display: grid; gap: .125rem; }
.grants .own { background: var(--hover); box-shadow: inset 3px 0 var(--accent); }
.grants td .quiet { display: block; }
.raw { max-height: 40rem; overflow: auto; white-space: pre-wrap; overflow-wrap: anywhere; }
.wrap { overflow-wrap: anywhere; }
.lead { margin: .25rem 0 1rem; color: var(--quiet); }
.find { display: flex; gap: .5rem; max-width: 36rem; margin-top: 1rem; }
#arrival, #headers, #body { margin-bottom: 1rem; }
@media (max-width: 70rem) { .order-columns { grid-template-columns: minmax(0, 1fr); } }
@media (max-width: 40rem) {
  .entry { grid-template-columns: minmax(0, 1fr); padding-left: 1rem; }
  .entry-what::before { left: -1rem; top: -.875rem; }
  .steps summary { grid-template-columns: 1.75rem minmax(0, 1fr) auto; }
  .step-at { grid-column: 2 / -1; }
  .step-body { padding-left: .5rem; }
  .term.price { padding-left: 0; border-left: 0; }
}
`;
