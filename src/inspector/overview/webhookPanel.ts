// How each provider's webhooks are doing: when the last came, how late they come, and what became of them.
import { html } from 'hono/html';
import type { Overview, ProviderWebhooks } from '../../../db/inspect/overview.ts';
import { LAG_CLASSES } from '../../../db/tallyStretch.ts';
import type { Html } from '../page.ts';
import { age, duration, panel, verdictBadge } from '../parts.ts';
import { asOfNote, figure } from './figures.ts';

const MS_PER_S = 1_000;
/** Of the webhooks: half, and nearly all. */
const SHARES = [
  { share: 0.5, word: 'half' },
  { share: 0.95, word: '95 %' },
] as const;

/** One row a provider. */
export function webhookPanel(overview: Overview): Html {
  const body = html`<div class="scroll" tabindex="0" role="region" aria-label="Webhooks by provider"><table class="cards overview-webhooks">
      <thead><tr><th scope="col">Provider</th><th scope="col">Last event</th><th scope="col" class="right">Events, 24 h</th>
        <th scope="col">Lag, 24 h</th><th scope="col" class="right">Wrong signatures, 24 h</th><th scope="col">Verdicts, 24 h</th></tr></thead>
      <tbody>${overview.webhooks.map(webhooks => row(webhooks, overview.now))}</tbody>
    </table></div>
    <p class="note overview-foot">Lag is from the provider’s own time of an event to our decision on it, where the provider tells a time.
      Nothing of a call with a wrong signature is kept but that it came: <a href="/inspector/signatures">why signatures do not hold</a>.</p>`;
  return panel({ id: 'webhooks', title: 'Webhooks', aside: asOfNote(overview.eventsAsOf), body });
}

function row(
  { provider, lastAt, verdicts, lags, signatureFailures, lastFailureAt }: ProviderWebhooks,
  now: Date,
): Html {
  const events = [...verdicts.values()].reduce((sum, count) => sum + count, 0);
  const byCount = [...verdicts].sort(([, a], [, b]) => b - a);
  return html`<tr>
    <th scope="row" class="wide">${provider}</th>
    <td data-label="Last event">${lastAt ? age(lastAt, now) : 'none yet'}</td>
    <td class="right number" data-label="Events, 24 h">${figure(events)}</td>
    <td data-label="Lag, 24 h">${lagWords(lags) ?? html`<span class="quiet">not told</span>`}</td>
    <td class="right number" data-label="Wrong signatures, 24 h">${
      lastFailureAt
        ? html`<a class="overview-alarm" href="/inspector/signatures#${provider}" aria-label="Wrong signatures of ${provider}: ${figure(signatureFailures)}">${figure(signatureFailures)}</a> <span class="note nowrap">${age(lastFailureAt, now)}</span>`
        : html`<span class="quiet">0</span>`
    }</td>
    <td class="wide" data-label="Verdicts, 24 h">${
      events === 0
        ? html`<span class="quiet">–</span>`
        : html`<ul class="overview-mix">${byCount.map(
            ([verdict, count]) => html`<li>${verdictBadge(verdict)} <span class="number">${figure(count)}</span></li>`,
          )}</ul>`
    }</td>
  </tr>`;
}

/** `half in 1 s, 95 % in 5 s`; null when no provider's time was told. */
export function lagWords(lags: ReadonlyMap<string, number>): string | null {
  const all = [...lags.values()].reduce((sum, count) => sum + count, 0);
  if (all <= 0) return null;
  return SHARES.map(({ share, word }) => `${word} ${withinWords(lags, share * all)}`).join(', ');
}

function withinWords(lags: ReadonlyMap<string, number>, wanted: number): string {
  let seen = 0;
  for (const bound of LAG_CLASSES) {
    seen += lags.get(String(bound)) ?? 0;
    if (seen >= wanted) return `in ${duration(bound * MS_PER_S)}`;
  }
  return `after more than ${duration((LAG_CLASSES.at(-1) ?? 0) * MS_PER_S)}`;
}
