// What the chart shows, in words: how to read it, when each state was entered, and every way with the events that take it.
import { html } from 'hono/html';
import type { Html } from '../page.ts';
import { badge, instant } from '../parts.ts';
import type { Stay, Walk } from './walked.ts';
import { numbers } from './walked.ts';
import type { Chart, Way } from './ways.ts';

/** `candidate`: the picture also shows where an event would lead. */
export function legend(
  chart: Chart,
  path: readonly Walk[],
  stays: readonly Stay[],
  { candidate }: { candidate: boolean },
): Html {
  return html`<figcaption>
    <ul class="chart-key">
      <li><span class="key-current"></span> stands here</li>
      <li><span class="key-visited"></span> has been here</li>
      <li><span class="key-number">3</span> third transition</li>
      ${candidate ? html`<li><span class="key-candidate"></span> where the event would lead</li>` : ''}
      <li>+4 s: entered 4 s after the order began</li>
    </ul>
    <details><summary>States and ways as a list</summary>
      ${stays.length > 0 ? staysTable(stays) : ''}
      ${waysTable(chart.ways, path)}
    </details>
  </figcaption>`;
}

function staysTable(stays: readonly Stay[]): Html {
  return html`<div class="table-box" role="group" aria-label="States entered" tabindex="0"><table>
    <thead><tr><th scope="col">State</th><th scope="col">Entered</th><th scope="col">First</th><th scope="col">Last</th></tr></thead>
    <tbody>${stays.map(
      ({ state, count, first, last }) =>
        html`<tr><td>${badge(state)}</td><td>${count}×</td><td>${instant(first)}</td><td>${instant(last)}</td></tr>`,
    )}</tbody></table></div>`;
}

function waysTable(ways: readonly Way[], path: readonly Walk[]): Html {
  return html`<div class="table-box" role="group" aria-label="Ways of the chart" tabindex="0"><table>
    <thead><tr><th scope="col">From</th><th scope="col">To</th><th scope="col">Event, and when it takes this way</th><th scope="col">Walked as</th></tr></thead>
    <tbody>${ways.map(
      way =>
        html`<tr><td>${way.from}</td><td>${way.to}</td><td>${way.told.map(
          ({ event, conditions }) =>
            html`<div><code>${event || 'at once'}</code>${conditions.length > 0 ? html` <span class="quiet">if ${conditions.join(' or ')}</span>` : ''}</div>`,
        )}</td><td>${numbers(path.filter(({ from, to }) => from === way.from && to === way.to).map(({ version }) => version)) || '–'}</td></tr>`,
    )}</tbody></table></div>`;
}
