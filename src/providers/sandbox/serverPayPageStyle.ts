// The pay page's style and icon. They live in a module so that they are where the code is, compiled or not, and are
// served from our own origin: the page's content policy allows no other source and nothing inline.

/** Every text on its ground has a contrast of at least 4.5 : 1, in light and in dark. */
export const PAY_PAGE_STYLE = `
:root {
  --ground: #f3f4f8; --card: #ffffff; --line: #dfe2ea; --text: #171a23; --quiet: #596073;
  --accent: #3046c9; --accent-over: #2537a6; --on-accent: #ffffff; --choice: #f8f9fc; --choice-over: #eef1fb;
  --banner: #fff3d1; --on-banner: #5c4300; --bad: #b3261e; --good: #13703a; --held: #7a5200;
  --shadow: 0 1px 2px rgb(20 25 50 / 6%), 0 12px 32px rgb(20 25 50 / 8%);
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #0d0f15; --card: #161a23; --line: #2b3140; --text: #eceef5; --quiet: #a0a8ba;
    --accent: #9db0ff; --accent-over: #b9c6ff; --on-accent: #10163a; --choice: #1b202b; --choice-over: #232a3a;
    --banner: #3a2e0c; --on-banner: #ffe3a1; --bad: #ff9b93; --good: #7fdca4; --held: #f2c46d;
    --shadow: none;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--ground); color: var(--text);
  font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", sans-serif;
  -webkit-text-size-adjust: 100%;
}
.banner { margin: 0; padding: .55rem 1rem; text-align: center; font-size: .875rem; background: var(--banner); color: var(--on-banner); }
.banner b { margin-right: .4rem; }
main {
  max-width: 37rem; margin: 2.5rem auto; padding: 2rem 2.25rem 1.75rem;
  background: var(--card); border: 1px solid var(--line); border-radius: 1.25rem; box-shadow: var(--shadow);
}
.caption { margin: 0; color: var(--quiet); font-size: .9375rem; }
h1 { margin: 0; font-size: clamp(2.25rem, 9vw, 3.25rem); font-weight: 650; line-height: 1.15; letter-spacing: -.025em; font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
h1.message { font-size: 1.5rem; letter-spacing: -.01em; }
.facts { margin: 1.25rem 0 1.5rem; border-top: 1px solid var(--line); font-size: .9375rem; }
.facts div { display: flex; gap: 1.5rem; justify-content: space-between; padding: .6rem 0; border-bottom: 1px solid var(--line); }
dt { color: var(--quiet); }
dd { margin: 0; min-width: 0; text-align: right; overflow-wrap: anywhere; }
code { font: .8438rem/1.5 ui-monospace, SFMono-Regular, Menlo, "DejaVu Sans Mono", monospace; overflow-wrap: anywhere; }
button { font: inherit; color: inherit; border-radius: .75rem; border: 1px solid var(--line); background: var(--choice); cursor: pointer; }
button:hover { background: var(--choice-over); }
button:active { transform: translateY(1px); }
button:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
.main-actions { display: grid; grid-template-columns: 1fr auto; gap: .75rem; }
.main-actions button { min-height: 3.25rem; padding: .5rem 1.5rem; font-weight: 600; font-size: 1.0625rem; }
.pay { background: var(--accent); border-color: transparent; color: var(--on-accent); }
.pay:hover { background: var(--accent-over); }
.decline { color: var(--bad); }
fieldset { margin: 1.75rem 0 0; padding: 0; border: 0; min-width: 0; }
legend { padding: 0; margin-bottom: .6rem; font-size: .9375rem; font-weight: 600; }
.choices { display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); gap: .6rem; }
.choice { display: flex; flex-direction: column; padding: .7rem .9rem; text-align: left; }
.choice b { font-weight: 600; font-size: .9375rem; }
.choice span { color: var(--quiet); font-size: .8438rem; line-height: 1.4; }
.choice:last-child:nth-child(odd) { grid-column: 1 / -1; }
.history { margin: 0 0 1.5rem; padding: .9rem 1rem; border-radius: .75rem; background: var(--choice); border: 1px solid var(--line); font-size: .9375rem; }
.history p { margin: 0 0 .4rem; }
.history ul { margin: 0; padding: 0; list-style: none; display: grid; gap: .35rem; }
.history li { display: grid; grid-template-columns: 6.25rem 1fr auto; gap: .75rem; align-items: baseline; }
.state { font-weight: 600; }
.captured { color: var(--good); }
.authorized { color: var(--held); }
.failed { color: var(--bad); }
.canceled { color: var(--quiet); }
.sum { font-variant-numeric: tabular-nums; }
.closed { margin: 0; padding: 1rem; border-radius: .75rem; text-align: center; background: var(--banner); color: var(--on-banner); }
.quiet { margin: 1.5rem 0 0; color: var(--quiet); font-size: .875rem; text-align: center; text-wrap: balance; }
.message + .quiet { margin-top: .5rem; text-align: left; font-size: 1rem; }
@media (max-width: 40rem) {
  main { margin: 0; border-width: 0; border-radius: 0; padding: 1.5rem 1.125rem 2rem; box-shadow: none; min-height: calc(100vh - 2.4rem); }
  .choices { grid-template-columns: 1fr; }
  .history li { grid-template-columns: 1fr auto; gap: 0 .75rem; }
  .history code { grid-column: 1 / -1; grid-row: 2; color: var(--quiet); }
}
@media (prefers-contrast: more) { :root { --quiet: var(--text); --line: var(--text); } }
@media (forced-colors: active) { .pay { border: 2px solid ButtonText; } }
`;

export const PAY_PAGE_ICON = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="8" fill="#3046c9"/><path d="M8 12h16v10a2 2 0 0 1-2 2H10a2 2 0 0 1-2-2zm0-2a2 2 0 0 1 2-2h12a2 2 0 0 1 2 2z" fill="#fff"/></svg>`;
