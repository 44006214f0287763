// The page about one order: where it stands in words, the access it gives, the path it walked, and everything that
// arrived for it, applied or not.
import { html } from 'hono/html';
import { formatAmount } from '../pages/formatAmount.ts';
import type { Html } from '../pages/htmlDocument.ts';
import type { AccessView, TimelineView } from '../ports.ts';
import { layout } from './layout.ts';
import { day, moment, time } from './moments.ts';

/** How often the page looks again while something is on its way, in s; seldom once the order has waited for a while. */
const REFRESH_S = 1;
const PATIENT_REFRESH_S = 15;
const PATIENT_AFTER_MS = 60_000;
/** Once more after the end, in s: the sandbox sends a webhook that was asked to be late 5 s after the redirect. */
const LATE_LOOK_S = 7;

type Tone = 'good' | 'bad' | 'held';
type Words = { headline: string; tone: Tone; sentence: string; payLink?: string };

const WORDS: Record<string, Words> = {
  created: {
    headline: 'Waiting for your payment',
    tone: 'held',
    sentence: 'The order is open at the provider. This page looks again by itself.',
    payLink: 'Go to the payment page',
  },
  authorized: {
    headline: 'Reserved, not yet captured',
    tone: 'held',
    sentence: 'The money is held on the card. Access comes once it is captured.',
    payLink: 'Back to the payment page',
  },
  captured: {
    headline: 'Paid, access is on its way',
    tone: 'held',
    sentence: 'The money is in and safe. The subscription is being written.',
  },
  subscribed: { headline: 'Subscribed', tone: 'good', sentence: 'The payment is in, and it was granted exactly once.' },
  failed: {
    headline: 'Not paid',
    tone: 'bad',
    sentence: 'The payment did not go through. The order can still be paid.',
    payLink: 'Try again',
  },
  parked: {
    headline: 'Somebody must look at this',
    tone: 'bad',
    sentence: 'Money arrived that does not fit this order. It is kept in the books until a person decides.',
    payLink: 'Back to the payment page',
  },
  refunded: { headline: 'Refunded', tone: 'bad', sentence: 'The money went back, and the access it gave with it.' },
};

/** `now` decides how soon the page looks again. */
export function orderPage(timeline: TimelineView, access: AccessView, payUrl: string | null, now: Date): Html {
  const { order } = timeline;
  const words = WORDS[order.state] ?? { headline: order.state, tone: 'held', sentence: '' };
  const amount = formatAmount(order.amountMinor, order.currency);
  return layout(
    words.headline,
    html`<p class="caption">${order.planId}, ${amount}, for ${order.userId}</p>
      <h1 class="${words.tone}">${words.headline}</h1>
      <p class="lead">${words.sentence}</p>
      ${order.stuck ? html`<p class="notice"><b>Stuck: ${order.stuck.cause}.</b> ${order.stuck.detail ?? ''}</p>` : ''}
      <dl class="facts">
        <div><dt>Access to ${access.product}</dt><dd class="${access.access ? 'good' : ''}">${accessWords(access)}</dd></div>
        ${timeline.payments.map(paymentFact)}
        <div><dt>Order</dt><dd><code>${order.id}</code></dd></div>
      </dl>
      <p class="actions">
        ${payUrl && words.payLink ? html`<a class="go" href="${payUrl}">${words.payLink}</a>` : ''}
        <a class="back" href="/">Back to the plans</a>
        <a class="back" href="/inspector/orders/${order.id}">See it in the inspector</a>
      </p>
      ${steps(timeline, words.tone)} ${arrivals(timeline)}`,
    refreshOf(timeline, now),
  );
}

function refreshOf({ order }: TimelineView, now: Date): number | null {
  const waited = now.getTime() - new Date(order.updatedAt).getTime();
  if (order.stuck || !['created', 'authorized', 'captured'].includes(order.state))
    return waited < LATE_LOOK_S * 1_000 ? LATE_LOOK_S : null;
  return waited < PATIENT_AFTER_MS ? REFRESH_S : PATIENT_REFRESH_S;
}

const REASONS: Record<AccessView['reason'], (until: string) => string> = {
  active: until => `Yes, until ${until}`,
  in_grace: until => `Yes, in the days of grace after ${until}`,
  trial: until => `Yes, on trial until ${until}`,
  expired: until => `No, it ended on ${until}`,
  refunded: () => 'No, the money went back',
  never_paid: () => 'No, not paid for yet',
};

function accessWords({ reason, until }: AccessView): string {
  return REASONS[reason](until ? day(until) : '—');
}

function paymentFact(payment: TimelineView['payments'][number]): Html {
  const { capturedMinor, refundedMinor, lostMinor, currency, state } = payment;
  const parts = [
    capturedMinor > 0 ? formatAmount(capturedMinor, currency) : '',
    capturedMinor > 0 && state === 'captured' ? 'paid' : state,
    refundedMinor > 0 ? `(${formatAmount(refundedMinor, currency)} sent back)` : '',
    lostMinor > 0 ? `(${formatAmount(lostMinor, currency)} lost in a dispute)` : '',
    payment.counts || state === 'failed' ? '' : '(not for this order)',
  ];
  return html`<div><dt>Payment</dt><dd>${parts.filter(Boolean).join(' ')}<br /><code>${payment.paymentId}</code></dd></div>`;
}

function steps({ transitions }: TimelineView, tone: Tone): Html {
  return html`<h2>The path it walked</h2>
    <ol class="path">${transitions.map(
      (t, i) => html`<li class="${i === transitions.length - 1 ? `now ${tone}` : ''}">
        <b>${t.to}</b> <span class="event">${t.type}</span>
        <span class="by">by ${t.source}, <time datetime="${t.at}" title="${t.at}">${moment(t.at)}</time></span>
      </li>`,
    )}</ol>`;
}

const VERDICT_TONES: Record<string, Tone> = {
  applied: 'good',
  mismatch: 'bad',
  parked: 'bad',
  surplus: 'held',
  unmatched: 'held',
};

function arrivals({ received }: TimelineView): Html {
  if (received.length === 0) return html``;
  return html`<h2>Everything that arrived</h2>
    <ul class="arrivals">${received.map(
      r => html`<li>
        <b>${r.type}</b> <span class="verdict ${VERDICT_TONES[r.verdict] ?? ''}">${r.verdict}</span>
        <span class="by">${time(r.receivedAt)}, ${r.deliveries === 1 ? 'delivered once' : `delivered ${r.deliveries} times`}</span>
        <code>${r.eventKey}</code>
        ${r.detail ? html`<span class="detail">${r.detail}</span>` : ''}
      </li>`,
    )}</ul>`;
}
