// The ways an event may go from the present state, as a list a person reads from top to bottom: the first condition that
// holds decides.
import { html } from 'hono/html';
import type { Candidate, Explained } from '../../../machines/explain.ts';
import { refundableMinor } from '../../../machines/money.ts';
import type { OrderContext } from '../../../machines/orderContext.ts';
import { formatAmount } from '../../pages/formatAmount.ts';
import type { Html } from '../page.ts';
import { badge, verdictBadge } from '../parts.ts';
import { changesNothing } from './eventWords.ts';
import { type About, guardVerdict } from './guardWords.ts';

export function explanationList(explained: Explained, about: About): Html {
  return html`<ol class="ways">${explained.candidates.map((candidate, place) => wayView(explained, candidate, place, about))}</ol>`;
}

function wayView({ type, from, taken, candidates }: Explained, way: Candidate, place: number, about: About): Html {
  const isTaken = taken === place;
  return html`<li class="way-${isTaken ? 'taken' : way.holds === false || (taken !== null && place > taken) ? 'out' : 'open'}">
    <p class="way-asks">${conditionView(way, about, type, candidates.length)}</p>
    <p class="way-leads">${leads(way, from)}${isTaken ? html` <b class="way-mark">This way is taken.</b>` : ''}</p>
  </li>`;
}

function conditionView({ guard, holds }: Candidate, about: About, type: string, ways: number): Html {
  if (guard === null) return html`${ways > 1 ? 'Otherwise' : 'Always'}`;
  const { asks, answer, found } = guardVerdict(guard, holds, about, type);
  if (answer === 'depends') return html`If ${asks}: <span class="answer answer-depends">${found}</span>`;
  return html`If ${asks}: <b class="answer answer-${answer}">${answer}</b>${found ? `, ${found}` : ''}`;
}

function leads({ to, verdict, detail }: Candidate, from: string): Html {
  const because = detail ? ` ${sentenceOf(detail)}` : '';
  if (changesNothing(verdict)) return html`${verdictBadge(verdict)}${because || ' Nothing changes.'}`;
  const where = to === from ? html`stays ${badge(to)}` : html`leads to ${badge(to)}`;
  const grant = to === 'captured' ? html`, and with its grant to ${badge('subscribed')}` : '';
  return html`${verdictBadge(verdict)} ${where}${grant}${because ? `.${because}` : ''}`;
}

/** Somebody else's words as a sentence of their own. */
export const sentenceOf = (detail: string): string =>
  `${detail.charAt(0).toUpperCase()}${detail.slice(1).replace(/\.$/, '')}.`;

/** What would come of the event now, in one sentence. */
export function outcomeSentence({ type, from, candidates, taken }: Explained, context: OrderContext): string {
  const way = taken === null ? null : candidates[taken];
  if (way) {
    const because = way.detail ? `: ${way.detail.replace(/\.$/, '')}` : '';
    if (way.verdict === 'illegal') return `Refused now${because}.`;
    if (changesNothing(way.verdict)) return `Would change nothing now, it is ${way.verdict}${because}.`;
    if (type === 'refund.requested') return `${refundSentence(context)} The order stays ${from} until it is back.`;
    if (way.to === from) return `It is recorded, and the order stays ${from}${because}.`;
    return `Leads to ${placeOf(way.to)}${because}.`;
  }
  const open = candidates.filter(({ holds }) => holds !== false);
  const places = [...new Set(open.filter(({ verdict }) => !changesNothing(verdict)).map(({ to }) => to))];
  const moves = places.filter(to => to !== from).map(placeOf);
  const parts = [
    ...(moves.length > 0 ? [`leads to ${moves.join(' or ')}`] : []),
    ...(places.includes(from) ? [`is recorded while the order stays ${from}`] : []),
    ...(open.some(({ verdict }) => changesNothing(verdict)) ? ['changes nothing'] : []),
  ];
  const subject = /^(refund|dispute)/.exec(type)?.[1] ?? 'payment';
  return `Depends on the ${subject}: it ${parts.join(', or ')}.`;
}

/** Without an amount a refund means all there is of the newest payment that holds any. */
function refundSentence({ payments }: OrderContext): string {
  const able = payments.filter(payment => refundableMinor(payment) > 0);
  const each = able.map(p => `${formatAmount(refundableMinor(p), p.currency)} of ${p.paymentId}`);
  return `Up to ${each.join(', or ')} can be sent back.`;
}

const placeOf = (state: string): string => (state === 'captured' ? 'subscribed' : state);
