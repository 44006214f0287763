// The dry run as a page shows it: what comes of it in a sentence, what it means for money and access, and then everything
// it would write, down to the keys under which anything leaves the service.
import { html } from 'hono/html';
import { spelledOut } from '../../../machines/contextDiff.ts';
import type { OrderContext } from '../../../machines/orderContext.ts';
import type { PreviewView } from '../../ports.ts';
import { orderChartSvg } from '../chart/orderChart.ts';
import { walkedBy } from '../chart/walked.ts';
import { deadlineWords, effectWords } from '../order/effectWords.ts';
import { jsonValue } from '../order/words.ts';
import type { Html } from '../page.ts';
import { age, badge, copyable, instant, verdictBadge } from '../parts.ts';
import { amountOf, currencyOf, type DryRun } from './dryRun.ts';
import { changesNothing } from './eventWords.ts';
import { explanationList, sentenceOf } from './explanation.ts';
import { partWords } from './partWords.ts';
import type { Subject } from './subject.ts';

export function dryRunView(subject: Subject, run: DryRun, now: Date): Html {
  const { preview, plan, explained, event } = run;
  const context = subject.live?.state.context;
  return html`<div class="stack dry-run">
    ${plan && plan.would.length > 0 ? html`<p>A retry now:</p><ul class="prose">${plan.would.map(part => html`<li>${partWords(part)}</li>`)}</ul>` : ''}
    ${preview && (!plan || !run.refused) ? html`<p class="outcome">${outcome(preview, run.version)}</p>` : ''}
    ${run.refused ? '' : html`<ul class="means">${consequences(subject, run).map(words => html`<li>${words}</li>`)}</ul>`}
    ${run.refused ? '' : chartOf(subject, run)}
    ${preview && !run.refused ? written(subject, preview, now) : ''}
    ${explained && context ? html`<details ${run.refused ? html`open` : ''}><summary>Conditions, in the order they are asked</summary>${explanationList(explained, { context, event })}</details>` : ''}
  </div>`;
}

function outcome({ verdict, detail, from, to, version }: PreviewView, seen: number): Html {
  const because = detail ? html` <span>${sentenceOf(detail)}</span>` : '';
  if (changesNothing(verdict)) return html`${verdictBadge(verdict)}${because}`;
  const moves =
    from === to ? html`The order stays ${badge(to)}` : html`The order goes from ${badge(from)} to ${badge(to)}`;
  return html`${verdictBadge(verdict)} ${moves}, version ${seen} → ${version}.${because}`;
}

/** What it means for the customer's money and access, each in a sentence. */
function consequences({ live, row }: Subject, { preview, plan, event }: DryRun): string[] {
  const effects = preview?.effects ?? [];
  const moving = live ? effects.flatMap(effect => moneySentence(effect, live.state.context)) : [];
  const isFact = !event.type.endsWith('.requested');
  const kept = plan?.would.some(({ what }) => what === 'event' || what === 'deadline');
  const still = kept
    ? 'What the kept events and deadlines lead to is decided when they are heard.'
    : isFact
      ? 'It sends no money: it records what the provider has done already.'
      : 'It moves no money.';
  const access = preview ? accessSentence(preview) : null;
  const refusing = plan?.would.some(({ what }) => what === 'grant') ? row.grantError : null;
  return [
    // Whether it still stands nobody knows without writing; what the dry run promises depends on it.
    ...(refusing ? [`All this only if the database takes the grant. Last time it said: “${refusing}”.`] : []),
    ...(moving.length > 0 ? moving : [still]),
    ...(access ? [access] : []),
  ];
}

type AskedEffect = PreviewView['effects'][number];

function moneySentence({ effect, payload, dedupKey }: AskedEffect, context: OrderContext): string[] {
  const amount = amountOf(payload, context) ?? 'The money';
  const of = typeof payload.paymentId === 'string' ? ` of ${payload.paymentId}` : '';
  const once = `It is sent once, under the key ${dedupKey}: pressing twice cannot send it twice.`;
  if (effect === 'refund') return [`This sends ${amount}${of} back to the customer. ${once}`];
  if (effect === 'capture') return [`This takes ${amount}${of} that is reserved. ${once}`];
  if (effect === 'void') return [`This lets go of what is reserved${of}: the customer is not charged for it. ${once}`];
  return [];
}

function accessSentence({ from, to }: PreviewView): string | null {
  if (from === to) return null;
  if (to === 'subscribed') return 'The customer gets the access that was bought.';
  return to === 'refunded' ? 'The access that the order gave ends.' : null;
}

function chartOf({ row, life }: Subject, { preview, explained }: DryRun): Html | '' {
  const way = explained && explained.taken !== null ? explained.candidates[explained.taken] : null;
  if (!preview || !life || !way || changesNothing(way.verdict) || !explained) return '';
  const walked = walkedBy(life.transitions.map(({ eventType, ...rest }) => ({ ...rest, type: eventType })));
  // A grant follows in the same commit, so what is shown leads as far as the sentence above says.
  const granted = preview.to !== null && preview.to !== way.to ? [{ from: way.to, to: preview.to }] : [];
  const candidates = [{ from: explained.from, to: way.to }, ...granted];
  return orderChartSvg({ machineId: row.machine, current: row.state, ...walked, candidates, name: 'dry-run' });
}

const isEmptyList = (value: unknown): boolean => Array.isArray(value) && value.length === 0;

function written({ row, live }: Subject, preview: PreviewView, now: Date): Html {
  const { effects, wakeAt } = preview;
  const diff = spelledOut(preview.diff).filter(({ before, after }) => before !== null || !isEmptyList(after));
  return html`<h3>What the order would remember</h3>
    ${
      diff.length === 0
        ? html`<p class="quiet">Its memory stays as it is.</p>`
        : html`<div class="scroll" tabindex="0" role="group" aria-label="What would change"><table class="diff">
            <thead><tr><th scope="col">Changed</th><th scope="col">Before</th><th scope="col">After</th></tr></thead>
            <tbody>${diff.map(
              ({ path, before, after }) =>
                html`<tr><th scope="row"><code>${path === '' ? 'all' : path}</code></th><td><code class="before">${jsonValue(before)}</code></td><td><code class="after">${jsonValue(after)}</code></td></tr>`,
            )}</tbody></table></div>`
    }
    <h3>What it would ask for</h3>
    ${
      effects.length === 0
        ? html`<p class="quiet">Nothing leaves the service.</p>`
        : html`<ul class="asked-for">${effects.map(
            effect =>
              html`<li><span>${effectWords(effect, live ? { ...row, currency: currencyOf(effect.payload, live.state.context) } : row)}</span> <span class="quiet">once, under the key</span> ${copyable(effect.dedupKey)}</li>`,
          )}</ul>`
    }
    ${wakeAt ? html`<p>Then, if nothing else comes, ${deadlineOf(preview)} at ${instant(wakeAt)}, ${age(wakeAt, now)}.</p>` : ''}`;
}

/** What the deadline does follows from where the order stands then. */
function deadlineOf({ to }: PreviewView): string {
  const id = { created: 'paymentWindow', authorized: 'captureWindow', captured: 'grantOverdue' }[to];
  return id ? deadlineWords(id) : 'its deadline passes';
}
