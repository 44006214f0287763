// Calls whose signature did not hold: how many, when, what that most likely means beside the webhooks that do hold, and how
// to find out. Nothing of such a call is kept, since anybody can make one.
import type { Context } from 'hono';
import { html } from 'hono/html';
import { readCounted } from '../../../db/inspect/overviewTallies.ts';
import { readSignatureFailureHours, type SignatureFailureHour } from '../../../db/signatureFailures.ts';
import { type Html, type InspectorDeps, type InspectorEnv, renderPage } from '../page.ts';
import { age, definitionList, emptyState, instant, notice, panel, toneBadge } from '../parts.ts';
import { type SignatureHelp, signatureHelp } from './signatureCauses.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** How far back failures are shown, in ms: providers give up delivering within days. */
const SHOWN_MS = 7 * DAY_MS;
/** Hours listed of one provider, those with failures only. */
const MAX_HOURS = 12;

/** Of one provider: its hours with failures, the latest first, and when a webhook of it last held. */
export type SignatureHealth = {
  provider: string;
  hours: readonly SignatureFailureHour[];
  heldAt: Date | null;
  now: Date;
};

export async function signaturesPage(
  c: Context<InspectorEnv>,
  { db, core, clock }: Pick<InspectorDeps, 'db' | 'core' | 'clock'>,
): Promise<Response> {
  const now = clock();
  const [hours, events] = await Promise.all([
    readSignatureFailureHours(db, new Date(now.getTime() - SHOWN_MS)),
    readCounted(db, 'inbox', new Date(now.getTime() - DAY_MS), now),
  ]);
  const names = new Set([...hours.map(({ provider }) => provider), ...[...core.providers.keys()].sort()]);
  const all = [...names].map((provider): SignatureHealth => {
    const held = events.ever.filter(
      ({ kind, key, provider: of }) => kind === 'event' && key.startsWith('webhook:') && of === provider,
    );
    const heldAt = held.reduce<Date | null>(
      (last, { latestAt }) => (latestAt && (!last || latestAt > last) ? latestAt : last),
      null,
    );
    return { provider, hours: hours.filter(hour => hour.provider === provider), heldAt, now };
  });
  return renderPage(c, {
    title: 'Wrong signatures',
    nav: 'events',
    live: {},
    main: html`<div class="order event"><p class="crumbs"><a href="/inspector/events">Events</a></p>
      <h1>Wrong signatures</h1>
      <p class="cause">Calls that claimed to come from a provider and were not signed as it signs. Each was answered 401 and counted, and nothing else of it is kept: anybody can make such a call. A webhook of the provider’s own that was refused is lost until it is delivered again.</p>
      ${all.length === 0 ? emptyState('No provider is switched on', 'Set the variables of one and restart.') : all.map(healthPanel)}
    </div>`,
  });
}

function healthPanel(health: SignatureHealth): Html {
  const { provider, hours, now, heldAt } = health;
  const help = signatureHelp(provider);
  const day = hours.filter(({ bucketAt }) => bucketAt.getTime() > now.getTime() - DAY_MS);
  const [latest] = hours;
  const facts = definitionList([
    { term: 'Wrong, 24 hours', value: sumOf(day) },
    { term: 'Wrong, 7 days', value: sumOf(hours) },
    {
      term: 'Last wrong',
      value: latest
        ? html`${age(latest.latestAt, now)} <span class="quiet">${instant(latest.latestAt)}</span>`
        : 'none',
    },
    {
      term: 'Last that held',
      value: heldAt ? html`${age(heldAt, now)} <span class="quiet">${instant(heldAt)}</span>` : 'none yet',
    },
    ...(help ? [{ term: 'Signed with', value: html`<code>${help.setting}</code>, in ${help.header}` }] : []),
  ]);
  const { tone, sentence } = diagnosis(health);
  const body = html`${notice(tone, sentence)}
    ${facts}
    ${hours.length > 0 ? hoursList(hours) : ''}
    ${help ? causes(help, hours.length > 0) : html`<p class="note">What signs its calls is told in the documentation of its adapter.</p>`}`;
  return panel({
    id: provider,
    title: help?.title ?? provider,
    aside:
      hours.length === 0
        ? toneBadge('well', 'good')
        : toneBadge(day.length > 0 ? 'wrong signatures' : 'over', day.length > 0 ? 'bad' : 'quiet'),
    body,
  });
}

const sumOf = (hours: readonly SignatureFailureHour[]): string =>
  hours.reduce((sum, { failures }) => sum + failures, 0).toLocaleString('en');

/** What the times say: whether webhooks hold beside those that do not, did once, or never have. */
function diagnosis({ hours, heldAt }: Pick<SignatureHealth, 'hours' | 'heldAt'>): {
  tone: 'good' | 'held' | 'bad';
  sentence: string;
} {
  const [latest] = hours;
  if (!latest)
    return heldAt
      ? { tone: 'good', sentence: 'Every call of the last seven days was signed as it must be.' }
      : { tone: 'held', sentence: 'Nothing has come yet, neither right nor wrong.' };
  if (!heldAt)
    return {
      tone: 'bad',
      sentence: 'No webhook of this provider has ever held. Most likely the secret here is not the one it signs with.',
    };
  if (heldAt >= latest.latestAt)
    return {
      tone: 'held',
      sentence:
        'Webhooks hold again, or beside these: the secret is right for most of them. Redeliveries signed with an old secret, a second endpoint, or somebody else’s calls look like this.',
    };
  return {
    tone: 'bad',
    sentence:
      'Webhooks held once, and none has since the last wrong one. Something changed in between: the secret, the clock, or what stands in front of this service.',
  };
}

function hoursList(hours: readonly SignatureFailureHour[]): Html {
  const more = hours.length - MAX_HOURS;
  return html`<details class="signature-hours"><summary>By hour</summary><ul>${hours
    .slice(0, MAX_HOURS)
    .map(({ bucketAt, failures }) => html`<li>${instant(bucketAt)} <b>${failures.toLocaleString('en')}</b></li>`)}</ul>
    ${more > 0 ? html`<p class="note">${more} earlier hours had some, too.</p>` : ''}</details>`;
}

function causes({ causes: all, deliveries }: SignatureHelp, isOpen: boolean): Html {
  return html`<details class="signature-causes" ${isOpen ? html`open` : ''}><summary>Usual causes, and how to tell</summary>
    <p>The provider shows our answer to each delivery, with the sentence that says what did not hold: see ${deliveries}.</p>
    <ol class="prose">${all.map(({ cause, sign, remedy }) => html`<li><b>${cause}.</b> ${sign}<br /><span class="remedy">${remedy}</span></li>`)}</ol></details>`;
}
