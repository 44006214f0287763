// What the shop's pages have beyond the look that all pages share.
import { BASE_STYLE } from '../pages/baseStyle.ts';

export const SHOP_STYLE = `${BASE_STYLE}
.brand { max-width: 44rem; margin: 2rem auto -1rem; padding: 0 1.125rem; display: flex; gap: 1rem; align-items: baseline; justify-content: space-between; }
.brand b { font-size: 1.125rem; letter-spacing: -.01em; }
.brand a, p a { color: var(--accent); }
main { max-width: 44rem; }
h1 { font-size: clamp(1.75rem, 6vw, 2.5rem); }
.lead { margin: .5rem 0 1.5rem; color: var(--quiet); }
.plans { display: grid; grid-template-columns: repeat(auto-fit, minmax(15rem, 1fr)); gap: .75rem; margin: 1rem 0 0; padding: 0; list-style: none; }
.plans li { display: flex; flex-direction: column; gap: .25rem; padding: 1.25rem; border: 1px solid var(--line); border-radius: 1rem; background: var(--choice); }
.plans h2 { margin: 0; font-size: 1rem; }
.price { margin: 0; font-size: 1.75rem; font-weight: 650; letter-spacing: -.02em; font-variant-numeric: tabular-nums; }
.per { margin: 0 0 .75rem; color: var(--quiet); font-size: .9375rem; }
.buy { margin-top: auto; min-height: 3rem; font-weight: 600; background: var(--accent); color: var(--on-accent); border-color: transparent; }
.buy:hover { background: var(--accent-over); }
label { display: block; font-size: .9375rem; font-weight: 600; }
input { width: 100%; margin-top: .35rem; padding: .7rem .85rem; font: inherit; color: inherit; background: var(--card); border: 1px solid var(--line); border-radius: .75rem; }
input:focus-visible, a:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
.state { display: inline-block; padding: .2rem .7rem; border-radius: 1rem; font-weight: 600; background: var(--choice-over); }
.state.good { color: var(--good); } .state.bad { color: var(--bad); } .state.held { color: var(--held); }
h2 { margin: 2rem 0 .5rem; font-size: 1rem; }
.steps { width: 100%; border-collapse: collapse; font-size: .9375rem; }
.steps th { text-align: left; font-weight: 600; color: var(--quiet); font-size: .8438rem; }
.steps th, .steps td { padding: .45rem .75rem .45rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
.steps td:last-child { padding-right: 0; }
.scroll { overflow-x: auto; }
@media (max-width: 40rem) { .brand { margin: 1rem auto .5rem; } main { min-height: calc(100vh - 4rem); } }
`;
