// The pay page's style and icon: what it has beyond the look that all pages share.
import { BASE_STYLE } from '../../pages/baseStyle.ts';

export const PAY_PAGE_STYLE = `${BASE_STYLE}
.banner { margin: 0; padding: .55rem 1rem; text-align: center; font-size: .875rem; background: var(--banner); color: var(--on-banner); }
.banner b { margin-right: .4rem; }
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
.closed { margin: 0; padding: 1rem; border-radius: .75rem; text-align: center; background: var(--banner); color: var(--on-banner); }
@media (forced-colors: active) { .pay { border: 2px solid ButtonText; } }
@media (max-width: 40rem) {
  .choices { grid-template-columns: 1fr; }
  .history li { grid-template-columns: 1fr auto; gap: 0 .75rem; }
  .history code { grid-column: 1 / -1; grid-row: 2; color: var(--quiet); }
}
`;

export const PAY_PAGE_ICON = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="8" fill="#3046c9"/><path d="M8 12h16v10a2 2 0 0 1-2 2H10a2 2 0 0 1-2-2zm0-2a2 2 0 0 1 2-2h12a2 2 0 0 1 2 2z" fill="#fff"/></svg>`;
