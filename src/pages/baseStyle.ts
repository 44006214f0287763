// The look that the service's own pages share: colours in light and dark, type, the card, facts and buttons. Served from
// our own origin, because the pages' content policy allows no other source and nothing inline.

/** Every text on its ground has a contrast of at least 4.5 : 1, in light and in dark. */
export const BASE_STYLE = `
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
.sum { font-variant-numeric: tabular-nums; }
.quiet { margin: 1.5rem 0 0; color: var(--quiet); font-size: .875rem; text-align: center; text-wrap: balance; }
.message + .quiet { margin-top: .5rem; text-align: left; font-size: 1rem; }
@media (max-width: 40rem) {
  main { margin: 0; border-width: 0; border-radius: 0; padding: 1.5rem 1.125rem 2rem; box-shadow: none; min-height: calc(100vh - 2.4rem); }
}
@media (prefers-contrast: more) { :root { --quiet: var(--text); --line: var(--text); } }
`;
