// Lists: filters, tabs, tables, pages.

export const ORDERS_STYLE = `
.filters { display: flex; flex-wrap: wrap; gap: .5rem .625rem; align-items: end; }
.filters .field { flex: 1 1 7.5rem; max-width: 14rem; }
.filters .filter-instant { flex-basis: 12.5rem; }
.filters .field label { color: var(--quiet); font-size: .8125rem; }
.filters select, .filters input { height: 2.125rem; min-width: 0; }
.filters .button { min-width: 4.5rem; height: 2.125rem; }
.chip-off { display: inline-grid; place-items: center; width: 1.25rem; height: 1.25rem; margin-right: -.25rem; border-radius: 50%; color: var(--quiet); text-decoration: none; }
.chip-off:hover { background: var(--raised); color: var(--text); text-decoration: none; }
.chips li { display: inline-flex; align-items: center; max-width: 100%; overflow-wrap: anywhere; }
.chips li > .quiet { flex: none; }
.tabs { display: flex; gap: .125rem; overflow-x: auto; border-bottom: 1px solid var(--line); }
.tabs a { flex: none; padding: .4375rem .75rem; margin-bottom: -1px; border-bottom: 2px solid transparent; color: var(--quiet); font-weight: 520; text-decoration: none; }
.tabs a:hover { color: var(--text); }
.tabs a:focus-visible { outline-offset: -2px; }
.tabs a[aria-current] { color: var(--text); border-bottom-color: var(--accent); scroll-initial-target: nearest; }
.tab-count { padding: 0 .375rem; border-radius: 1rem; background: var(--calm-ground); color: var(--calm); font-size: .75rem; font-weight: 620; font-variant-numeric: tabular-nums; }
.tab-count.urgent { background: var(--bad-ground); color: var(--bad); }
.pager { display: flex; flex-wrap: wrap; align-items: center; justify-content: space-between; gap: .5rem 1rem; padding: .625rem 1rem; border-top: 1px solid var(--line); }
.panel-body:has(> .scroll):has(> .pager) { padding: 0; }
.badges { display: inline-flex; flex-wrap: wrap; gap: .25rem; }
.two { display: inline-grid; gap: .125rem; justify-items: start; }
a.plain { color: inherit; }
.any-length { overflow-wrap: anywhere; }
td.detail { min-width: 12rem; max-width: 26rem; }
@media (min-width: 40.01rem) { td.user { min-width: 10rem; } }
.heard { display: inline-flex; flex-wrap: wrap; gap: 0 .375rem; align-items: baseline; }
.cause { max-width: 60rem; color: var(--quiet); }
.cause b { color: var(--text); font-weight: 560; }
@media (max-width: 40rem) {
  .filters { display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); }
  .filters .field { max-width: none; }
  .filters .filter-instant { grid-column: 1 / -1; }
  .filters select, .filters input, .filters .button { height: 2.5rem; }
  td.detail { min-width: 0; max-width: none; }
  table.cards td.none { display: none; }
  .pager .buttons { width: 100%; }
}
`;
