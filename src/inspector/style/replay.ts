// The replay of an order: the row of steps, and what one of them did.

export const REPLAY_STYLE = `
.crumbs { color: var(--quiet); font-size: .8125rem; overflow-wrap: anywhere; }
.stepper { display: flex; flex-wrap: wrap; align-items: center; gap: .5rem 1rem; scroll-margin-top: 4rem; }
.stepper ol { display: flex; flex-wrap: wrap; align-items: center; gap: .25rem; padding: 0; list-style: none; }
.stepper li { min-width: 1.25rem; text-align: center; color: var(--quiet); }
.stepper li a { display: block; min-width: 1.875rem; padding: .1875rem .375rem; border: 1px solid var(--edge); border-radius: .9375rem; color: var(--text); font-variant-numeric: tabular-nums; }
.stepper li a:hover { background: var(--hover); text-decoration: none; }
.stepper li a[aria-current] { border-color: var(--accent); background: var(--accent); color: var(--on-accent); font-weight: 620; }
.replay-grid { grid-template-columns: repeat(auto-fit, minmax(min(22rem, 100%), 1fr)); }
.replay-grid .panel-body > p + p, .replay-grid .scroll + p { margin-top: .75rem; }
.replay-grid .scroll { margin: -.875rem -1rem 0; }
.replay-grid .scroll:last-child { margin-bottom: -.875rem; }
.replay-grid .diff { border: 0; border-bottom: 1px solid var(--line); border-radius: 0; }
.replay-grid .diff th:first-child { padding-left: 1rem; }
.replay-grid .facts div { grid-template-columns: 6.5rem minmax(0, 1fr); }
.asked .key { display: flex; align-items: baseline; gap: .375rem; }
.asked { display: grid; gap: .75rem; padding: 0; list-style: none; }
.mismatch { overflow-wrap: anywhere; }
pre.json { max-height: 32rem; margin-top: .5rem; overflow: auto; font-size: .8125rem; line-height: 1.5; }
@media (hover: none) { .keys-note { display: none; } }
@media (max-width: 40rem) {
  .stepper .buttons { width: 100%; }
  .stepper .buttons .button { flex: 1; text-align: center; padding: .5rem .25rem; }
  .stepper li a { min-width: 2.25rem; padding: .4375rem .375rem; }
}
`;
