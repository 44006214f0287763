// The pieces pages are made of: sections, tables, badges, facts, forms, notices.

export const PARTS_STYLE = `
.tone-good { color: var(--good); background: var(--good-ground); }
.tone-busy { color: var(--busy); background: var(--busy-ground); }
.tone-held { color: var(--held); background: var(--held-ground); }
.tone-bad { color: var(--bad); background: var(--bad-ground); }
.tone-quiet { color: var(--calm); background: var(--calm-ground); }
.badge { display: inline-block; padding: 0 .45rem; border-radius: .3125rem; font-size: .8125rem; font-weight: 560; line-height: 1.375rem; white-space: nowrap; }
.quiet, .note { color: var(--quiet); }
.note { font-size: .8125rem; }
.right { text-align: right; }
.nowrap { white-space: nowrap; }
.money { white-space: nowrap; }
.copyable { display: inline-flex; align-items: center; gap: .125rem; max-width: 100%; }
.copy { flex: none; width: 1.5rem; height: 1.5rem; padding: 0; border: 0; border-radius: .25rem; background: none; cursor: pointer; color: var(--quiet); }
.copy::before { content: ""; display: block; width: .6875rem; height: .75rem; margin: auto; border: 1.5px solid currentColor; border-radius: .125rem; box-shadow: .125rem -.125rem 0 -.5px var(--card), .125rem -.125rem 0 .5px currentColor; }
.copy:hover { background: var(--raised); color: var(--text); }
.copy.copied::before { width: .75rem; height: .375rem; border-width: 0 0 2px 2px; border-radius: 0; box-shadow: none; color: var(--good); transform: translateY(-.125rem) rotate(-45deg); }
.page-head { display: flex; flex-wrap: wrap; align-items: center; gap: .375rem .75rem; }
.page-head .aside { margin-left: auto; }
.grid { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fit, minmax(min(20rem, 100%), 1fr)); align-items: start; }
.panel { background: var(--card); border: 1px solid var(--line); border-radius: .625rem; min-width: 0; }
.panel-head { display: flex; flex-wrap: wrap; align-items: baseline; gap: .25rem .75rem; padding: .625rem 1rem; border-bottom: 1px solid var(--line); }
.panel-head .aside { margin-left: auto; color: var(--quiet); font-size: .8125rem; }
.panel-body { padding: .875rem 1rem; min-width: 0; }
.panel-body:has(> .scroll:only-child), .panel-body:has(> .empty:only-child) { padding: 0; }
.scroll { overflow-x: auto; }
.scroll:focus-visible { outline-offset: -2px; }
table { width: 100%; border-collapse: collapse; }
th, td { padding: .4375rem .75rem; text-align: left; vertical-align: baseline; }
th:first-child, td:first-child { padding-left: 1rem; }
th:last-child, td:last-child { padding-right: 1rem; }
th { color: var(--quiet); font-size: .8125rem; font-weight: 520; white-space: nowrap; }
thead th { border-bottom: 1px solid var(--line); }
tbody tr + tr > * { border-top: 1px solid var(--line); }
tbody tr[data-row]:hover, [data-row]:focus-within { background: var(--hover); }
[data-row]:focus-within { box-shadow: inset 3px 0 var(--accent); }
td.right, th.right { text-align: right; }
.facts div { display: grid; grid-template-columns: minmax(7rem, 11rem) minmax(0, 1fr); gap: .125rem 1rem; padding: .3125rem 0; }
.facts dt { color: var(--quiet); }
.facts dd { overflow-wrap: anywhere; }
.empty { padding: 2rem 1rem; text-align: center; color: var(--quiet); display: grid; grid-template-columns: minmax(0, 1fr); gap: .5rem; justify-items: center; text-wrap: balance; overflow-wrap: anywhere; }
.empty + .request { text-align: center; }
.empty-title { color: var(--text); font-weight: 620; font-size: .9375rem; }
.notice { padding: .5rem .75rem; border-radius: .5rem; overflow-wrap: anywhere; }
.button { display: inline-flex; align-items: center; justify-content: center; text-align: center; padding: .375rem .75rem; border: 1px solid var(--edge); border-radius: .375rem; background: var(--card); color: var(--text); font-weight: 520; line-height: 1.35; cursor: pointer; text-decoration: none; }
.button:hover { background: var(--hover); text-decoration: none; }
.button.primary { border-color: var(--accent); background: var(--accent); color: var(--on-accent); }
.button.primary:hover { border-color: var(--accent-over); background: var(--accent-over); }
.button.danger { border-color: var(--bad); color: var(--bad); }
.button:disabled, .button[aria-disabled="true"] { border-color: var(--line); background: var(--raised); color: var(--quiet); cursor: not-allowed; }
.buttons { display: flex; flex-wrap: wrap; gap: .5rem; align-items: center; }
.chips { display: flex; flex-wrap: wrap; gap: .375rem; padding: 0; list-style: none; }
.chip { max-width: 100%; overflow-wrap: anywhere; display: inline-flex; align-items: center; gap: .375rem; padding: .125rem .5rem; border: 1px solid var(--edge); border-radius: 1rem; color: var(--text); font-size: .8125rem; }
.stack { display: grid; gap: .875rem; }
.field { display: grid; gap: .25rem; min-width: 0; }
.field label { font-weight: 520; }
input:not([type="checkbox"]):not([type="radio"]), select, textarea { width: 100%; min-width: 0; padding: .375rem .625rem; border: 1px solid var(--edge); border-radius: .375rem; background: var(--card); }
textarea { min-height: 4.5rem; resize: vertical; }
input[aria-invalid="true"] { border-color: var(--bad); }
.prose { padding-left: 1.25rem; display: grid; gap: .375rem; max-width: 46rem; }
pre { padding: .75rem 1rem; overflow-x: auto; border-radius: .5rem; background: var(--raised); }
@media (max-width: 40rem) {
  .facts div { grid-template-columns: minmax(0, 1fr); }
  table.cards thead { position: absolute; clip-path: inset(50%); }
  table.cards, table.cards tbody { display: block; }
  table.cards tr { display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); gap: .375rem 1rem; padding: .75rem 1rem; }
  table.cards tbody tr + tr { border-top: 1px solid var(--line); }
  table.cards td, table.cards th, table.cards tbody tr + tr > * { display: block; padding: 0; border: 0; text-align: left; white-space: normal; overflow-wrap: anywhere; }
  table.cards [data-label]::before { content: attr(data-label); display: block; color: var(--quiet); font-size: .75rem; }
  table.cards .wide { grid-column: 1 / -1; }
  .button, .quiet-button { min-height: 2.5rem; }
  input, select, textarea { font-size: 1rem; }
}
`;
