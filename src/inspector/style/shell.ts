// What stands around each page: the bar at the top, the search, the indicator, the help, the foot; and the sign-in.

export const SHELL_STYLE = `
.skip { position: absolute; left: .75rem; top: -4rem; padding: .5rem .75rem; background: var(--card); border: 1px solid var(--edge); border-radius: .375rem; z-index: 3; }
.skip:focus { top: .5rem; }
.top {
  position: sticky; top: 0; z-index: 2; display: flex; align-items: center; gap: 1rem; min-height: 3rem; padding: .375rem 1.25rem;
  background: var(--card); border-bottom: 1px solid var(--line);
}
.top .brand { color: var(--text); font-weight: 680; letter-spacing: -.01em; text-decoration: none; }
.top nav { display: flex; gap: .125rem; }
.top nav a { display: inline-flex; align-items: center; gap: .375rem; padding: .3125rem .625rem; border-radius: .375rem; color: var(--quiet); font-weight: 520; text-decoration: none; white-space: nowrap; }
.top nav a:hover { background: var(--hover); color: var(--text); }
.top nav a[aria-current] { background: var(--raised); color: var(--text); }
.count { padding: 0 .4rem; border-radius: 1rem; background: var(--bad-ground); color: var(--bad); font-size: .75rem; font-weight: 620; line-height: 1.25rem; font-variant-numeric: tabular-nums; }
.search { position: relative; flex: 1 1 14rem; max-width: 30rem; margin-left: auto; }
.search input { width: 100%; padding: .3125rem 2rem .3125rem .625rem; border: 1px solid var(--edge); border-radius: .375rem; background: var(--ground); }
.search input::placeholder { color: var(--quiet); opacity: 1; }
.search kbd { position: absolute; right: .5rem; top: 50%; transform: translateY(-50%); line-height: 1.2; pointer-events: none; }
.search input:focus + kbd { display: none; }
.live { display: inline-flex; align-items: center; gap: .4rem; color: var(--quiet); font-size: .8125rem; white-space: nowrap; }
.live .dot { width: .5rem; height: .5rem; border-radius: 50%; background: var(--edge); }
.live[data-state="live"] .dot { background: #1c9a52; }
.live[data-state="polling"] .dot { background: #d08a00; }
.live[data-state="off"] .dot { background: var(--bad); }
.live[data-state="off"] { color: var(--bad); }
.who { color: var(--quiet); font-size: .8125rem; }
.out { margin: 0; }
.quiet-button { padding: .25rem .5rem; border: 0; border-radius: .375rem; background: none; color: var(--quiet); cursor: pointer; }
.quiet-button:hover { background: var(--hover); color: var(--text); }
main { max-width: 84rem; margin: 0 auto; padding: 1.25rem 1.25rem 2rem; display: grid; gap: 1rem; grid-template-columns: minmax(0, 1fr); }
main.bare { max-width: 24rem; margin-top: min(16vh, 8rem); padding: 1.75rem; background: var(--card); border: 1px solid var(--line); border-radius: .75rem; }
.foot { display: flex; align-items: center; justify-content: space-between; gap: 1rem; max-width: 84rem; margin: 0 auto; padding: .5rem 1.25rem 1.5rem; color: var(--quiet); font-size: .8125rem; }
dialog { width: min(22rem, calc(100vw - 2rem)); padding: 1.25rem; border: 1px solid var(--edge); border-radius: .75rem; background: var(--card); color: var(--text); }
dialog::backdrop { background: rgb(10 12 20 / 45%); }
dialog dl { margin: .75rem 0 1rem; }
dialog dl div { display: flex; gap: .75rem; padding: .25rem 0; }
dialog dt { width: 4rem; }
@media (max-width: 60rem) {
  .top { flex-wrap: wrap; gap: .25rem .75rem; padding: .5rem .875rem; position: static; }
  .top nav { order: 3; flex: 1 0 100%; margin: 0 -.5rem; overflow-x: auto; }
  .search { order: 4; flex: 1 0 100%; max-width: none; margin: .125rem 0 .25rem; }
  .search kbd { display: none; }
  .live { margin-left: auto; }
  /* The bar scrolls away on a phone: that the page is old must not. */
  .live[data-state="off"] { position: fixed; right: .75rem; bottom: .75rem; z-index: 3; padding: .375rem .75rem; border: 1px solid; border-radius: 2rem; background: var(--bad-ground); }
  .who { display: none; }
  main { padding: .875rem .875rem 1.5rem; }
  .foot { padding: .5rem .875rem 1.5rem; }
  #keys { display: none; }
}
@media (max-width: 30rem) { main.bare { margin: 0; border-width: 0 0 1px; border-radius: 0; max-width: none; padding: 1.5rem 1.125rem; } }
@media print { .top, .foot { display: none; } }
`;
