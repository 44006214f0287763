// What the shop's pages have beyond the look that all pages share.
import { BASE_STYLE } from '../pages/baseStyle.ts';

export const SHOP_STYLE = `${BASE_STYLE}
.brand { max-width: 44rem; margin: 2rem auto -1.25rem; padding: 0 .25rem; display: flex; align-items: center; justify-content: space-between; font-size: .9375rem; }
.brand a { color: var(--quiet); text-decoration: none; }
.brand a:hover { text-decoration: underline; }
.brand nav { display: flex; gap: 1.25rem; }
.brand > a { display: flex; align-items: center; gap: .6rem; color: var(--text); font-size: 1.125rem; font-weight: 650; letter-spacing: -.01em; text-decoration: none; }
main { max-width: 44rem; }
main a { color: var(--accent); text-underline-offset: .15em; }
a:focus-visible, input:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; border-radius: .25rem; }
h1 { font-size: clamp(1.875rem, 6vw, 2.5rem); text-wrap: balance; }
.caption { overflow-wrap: anywhere; margin-bottom: .25rem; }
.lead { margin: .5rem 0 1.5rem; color: var(--quiet); font-size: 1.0625rem; text-wrap: pretty; }
.good { color: var(--good); } .bad { color: var(--bad); } .held { color: var(--held); }
label { display: block; margin-bottom: .35rem; font-size: .9375rem; font-weight: 600; }
input { width: 100%; padding: .7rem .85rem; font: inherit; color: inherit; background: var(--card); border: 1px solid var(--line); border-radius: .75rem; }
.plans { display: grid; grid-template-columns: repeat(auto-fit, minmax(15rem, 1fr)); gap: 1rem; margin: 1.25rem 0 0; padding: 0; list-style: none; }
.plans li { display: flex; flex-direction: column; padding: 1.25rem; border: 1px solid var(--line); border-radius: 1rem; background: var(--choice); }
.plans h2 { margin: 0; font-size: 1rem; font-weight: 600; overflow-wrap: anywhere; }
.price { margin: .35rem 0 .15rem; font-size: 2rem; font-weight: 650; line-height: 1.2; letter-spacing: -.025em; font-variant-numeric: tabular-nums; }
.per { margin: 0 0 1.1rem; color: var(--quiet); font-size: .9375rem; }
.buy, .go, .back { display: flex; align-items: center; justify-content: center; min-height: 3rem; padding: 0 1.25rem; border: 1px solid transparent; border-radius: .75rem; font-weight: 600; text-decoration: none; }
.buy { margin-top: auto; }
.buy, main .go { background: var(--accent); color: var(--on-accent); }
.buy:hover, main .go:hover { background: var(--accent-over); }
main .back { border-color: var(--line); background: var(--choice); color: var(--text); }
main .back:hover { background: var(--choice-over); }
.actions { display: flex; flex-wrap: wrap; gap: .75rem; margin: 0; }
.notice { margin: 0 0 1.5rem; padding: .8rem 1rem; border-radius: .75rem; background: var(--banner); color: var(--on-banner); font-size: .9375rem; overflow-wrap: anywhere; }
.foot { margin: 1.5rem 0 0; color: var(--quiet); font-size: .875rem; }
.facts { font-size: 1rem; }
.facts .good { font-weight: 600; }
h2 { margin: 2.25rem 0 .75rem; font-size: 1.0625rem; letter-spacing: -.01em; }
.path, .arrivals { margin: 0; padding: 0; list-style: none; font-size: .9375rem; }
.path li { position: relative; display: flex; flex-wrap: wrap; column-gap: .6rem; padding: 0 0 1.1rem 1.75rem; }
.path li::before { content: ""; box-sizing: border-box; position: absolute; left: 0; top: .3rem; width: .8rem; height: .8rem; border: 2px solid var(--quiet); border-radius: 50%; background: var(--card); }
.path li::after { content: ""; position: absolute; left: .34rem; top: 1.3rem; bottom: -.1rem; width: 2px; background: var(--line); }
.path li.now::before { border-color: currentColor; background: currentColor; }
.path li.now { padding-bottom: 0; }
.path li.now::after { display: none; }
.path .event, .by { color: var(--quiet); }
.by, .detail { flex-basis: 100%; font-size: .875rem; font-variant-numeric: tabular-nums; }
.arrivals li { display: flex; flex-wrap: wrap; align-items: center; gap: .15rem .75rem; padding: .7rem 0; border-top: 1px solid var(--line); }
.arrivals code { flex-basis: 100%; color: var(--quiet); }
.arrivals .verdict { margin-left: auto; padding: .05rem .6rem; border: 1px solid currentColor; border-radius: 1rem; font-size: .8125rem; font-weight: 600; }
.arrivals .verdict:not(.good, .bad, .held) { color: var(--quiet); }
@media (max-width: 40rem) {
  body { background: var(--card); }
  .brand { margin: 0; padding: .9rem 1.125rem; background: var(--ground); border-bottom: 1px solid var(--line); }
  main { min-height: 0; }
  .go, .back { flex: 1 1 100%; }
  .facts code { font-size: .75rem; }
}
`;
