// The stories the sandbox can tell: what happens to the money and how the webhooks about it travel. The pay page's
// buttons and the API for tests run the same ones.
import { hexHmac } from '../signatures.ts';
import { callbackText } from './keys.ts';
import { type SandboxContext, SandboxRefusal } from './serverContext.ts';
import { addPayment, disputePayment, failRefund, refundPayment } from './serverPayments.ts';
import { heldMinor, type SandboxDelivery, type SandboxOrder, type SandboxPayment } from './serverState.ts';
import type { WebhookManner } from './serverWebhooks.ts';

type Attempt = { state: 'authorized' | 'captured' | 'failed'; amount?: 'wrong' };

/** A story that pays. `comesBack` false: the browser is not sent to the callback; `webhookFirst`: not before the webhook was answered. */
export type PayScenario = {
  label: string;
  hint: string;
  attempts: Attempt[];
  manner: WebhookManner;
  webhookFirst?: true;
  comesBack?: false;
};

const captured: Attempt[] = [{ state: 'captured' }];

/** In the order in which the pay page shows them. */
export const PAY_SCENARIOS: ReadonlyMap<string, PayScenario> = new Map<string, PayScenario>([
  ['succeed', { label: 'Pay', hint: 'Webhook and redirect at the same time', attempts: captured, manner: 'prompt' }],
  ['fail', { label: 'Decline', hint: 'The bank says no', attempts: [{ state: 'failed' }], manner: 'prompt' }],
  [
    'fail-then-succeed',
    {
      label: 'Fail, then succeed',
      hint: 'Declined once, paid on the second try',
      attempts: [{ state: 'failed' }, { state: 'captured' }],
      manner: 'prompt',
    },
  ],
  [
    'pay-twice',
    {
      label: 'Pay twice',
      hint: 'Two payments of the full amount',
      attempts: [{ state: 'captured' }, { state: 'captured' }],
      manner: 'prompt',
    },
  ],
  [
    'wrong-amount',
    {
      label: 'Wrong amount',
      hint: 'Another amount arrives than was asked for',
      attempts: [{ state: 'captured', amount: 'wrong' }],
      manner: 'prompt',
    },
  ],
  [
    'authorize-only',
    { label: 'Authorize only', hint: 'Money held, not taken', attempts: [{ state: 'authorized' }], manner: 'prompt' },
  ],
  [
    'webhook-first',
    {
      label: 'Webhook first',
      hint: 'Redirect once the webhook was answered',
      attempts: captured,
      manner: 'prompt',
      webhookFirst: true,
    },
  ],
  [
    'webhook-late',
    { label: 'Webhook late', hint: 'Sent seconds after the redirect', attempts: captured, manner: 'late' },
  ],
  [
    'webhook-twice',
    { label: 'Webhook twice', hint: 'The same webhook two times', attempts: captured, manner: 'twice' },
  ],
  ['webhook-never', { label: 'Webhook never', hint: 'Only the redirect tells', attempts: captured, manner: 'never' }],
  [
    'callback-never',
    {
      label: 'Never come back',
      hint: 'Paid, only the webhook tells',
      attempts: captured,
      manner: 'prompt',
      comesBack: false,
    },
  ],
]);

/** Stories about money that has been paid already. They change the order's latest captured payment. */
export const MONEY_SCENARIOS = [
  'refund',
  'partial-refund',
  'refund-fails',
  'dispute-opened',
  'dispute-won',
  'dispute-lost',
];

/** Why the bank says no in every failing story. */
const DECLINED = 'The card was declined by its bank.';

/** What a story left behind: its payments, the last one being what the callback is about, and the webhooks it sends. */
export type ScenarioRun = { payments: SandboxPayment[]; webhooks: SandboxDelivery[] };

/** Tells a paying story, once per key: a double click finds the payments of the first. */
export function runPayScenario(
  context: SandboxContext,
  order: SandboxOrder,
  name: string,
  key: string | null,
): ScenarioRun {
  const scenario = PAY_SCENARIOS.get(name);
  if (scenario === undefined) throw new SandboxRefusal(404, 'not_found', `There is no paying scenario "${name}".`);
  const runKey = key === null ? null : `${name}:${key}`;
  const known = order.runs.find(run => run.key === runKey);
  if (known !== undefined) {
    return { payments: order.payments.filter(payment => known.paymentIds.includes(payment.paymentId)), webhooks: [] };
  }
  const before = order.deliveries.length;
  const payments: SandboxPayment[] = [];
  for (const attempt of scenario.attempts) {
    const amountMinor = attempt.amount === 'wrong' ? wrongAmount(order.amountMinor) : order.amountMinor;
    const reason = attempt.state === 'failed' ? { reason: DECLINED } : {};
    // A failure is told before the success that followed it; two successes race, as they do in the world.
    const previous = payments.at(-1)?.state === 'failed' ? order.deliveries.at(-1) : undefined;
    const plan = { manner: scenario.manner, ...(previous !== undefined && { after: previous }) };
    payments.push(addPayment(context, order, { state: attempt.state, amountMinor, ...reason }, plan));
  }
  if (runKey !== null) order.runs.push({ key: runKey, paymentIds: payments.map(payment => payment.paymentId) });
  context.save(order);
  return { payments, webhooks: order.deliveries.slice(before) };
}

/** Tells a story about paid money. @throws SandboxRefusal when the order has no money it could be about */
export function runMoneyScenario(context: SandboxContext, order: SandboxOrder, name: string): ScenarioRun {
  const before = order.deliveries.length;
  const payment = order.payments.findLast(candidate => candidate.state === 'captured');
  if (payment === undefined) throw new SandboxRefusal(409, 'not_captured', 'The order has no captured payment.');
  const found = { order, payment };
  switch (name) {
    case 'refund':
      refundPayment(context, found, { key: null, state: 'completed' });
      break;
    case 'partial-refund':
      refundPayment(context, found, { key: null, state: 'completed', amountMinor: Math.ceil(heldMinor(payment) / 2) });
      break;
    case 'refund-fails': {
      const completed = payment.refunds.findLast(refund => refund.state === 'completed');
      if (completed !== undefined) failRefund(context, found, completed);
      else refundPayment(context, found, { key: null, state: 'failed' });
      break;
    }
    case 'dispute-opened':
      disputePayment(context, found, 'opened');
      break;
    case 'dispute-won':
      disputePayment(context, found, 'won');
      break;
    case 'dispute-lost':
      disputePayment(context, found, 'lost');
      break;
    default:
      throw new SandboxRefusal(404, 'not_found', `There is no scenario "${name}".`);
  }
  return { payments: [payment], webhooks: order.deliveries.slice(before) };
}

/** What the browser brings to the callback after a story: the ids of its last payment, signed. */
export function signCallback(context: SandboxContext, order: SandboxOrder, run: ScenarioRun) {
  const paymentId = run.payments.at(-1)?.paymentId ?? '';
  const signature = hexHmac(context.secret, callbackText(order.providerOrderId, paymentId));
  return { providerOrderId: order.providerOrderId, paymentId, signature };
}

/** Half of what was asked for, or twice where it has no half. */
function wrongAmount(amountMinor: number): number {
  return amountMinor > 1 ? Math.floor(amountMinor / 2) : amountMinor * 2;
}
