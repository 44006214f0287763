// The sandbox's books: what can be done with a payment, and when the answer is no. Every operation checks first and
// changes afterwards, so that a refused call leaves nothing behind.
import { newSandboxId, nextFactAt, type SandboxContext, SandboxRefusal } from './serverContext.ts';
import {
  heldMinor,
  type SandboxDispute,
  type SandboxOrder,
  type SandboxPayment,
  type SandboxRefund,
} from './serverState.ts';
import { queueDisputeWebhook, queuePaymentWebhook, queueRefundWebhook, type WebhookPlan } from './serverWebhooks.ts';

/** Payments one order may see: the document is written whole at every change and has to stay small. */
const MAX_PAYMENTS_PER_ORDER = 100;

/** A payment together with the order it pays for. */
export type FoundPayment = { order: SandboxOrder; payment: SandboxPayment };

/** @throws SandboxRefusal when no payment has this id */
export function findPayment(context: SandboxContext, paymentId: string): FoundPayment {
  const order = context.store.byPayment(paymentId);
  const payment = order?.payments.find(candidate => candidate.paymentId === paymentId);
  if (order === undefined || payment === undefined) {
    throw new SandboxRefusal(404, 'not_found', 'There is no payment with this id.');
  }
  return { order, payment };
}

/** Makes a payment in its first state and queues the webhook that tells of it. The caller saves the order. */
export function addPayment(
  context: SandboxContext,
  order: SandboxOrder,
  fact: Pick<SandboxPayment, 'state' | 'amountMinor' | 'reason'>,
  plan?: WebhookPlan,
): SandboxPayment {
  if (order.payments.length >= MAX_PAYMENTS_PER_ORDER) {
    throw new SandboxRefusal(409, 'too_many_payments', `An order takes at most ${MAX_PAYMENTS_PER_ORDER} payments.`);
  }
  const at = nextFactAt(context, order);
  const payment: SandboxPayment = {
    paymentId: newSandboxId(context, 'pay'),
    currency: order.currency,
    ...fact,
    at,
    changedAt: at,
    sequence: context.store.nextSequence(),
    refunds: [],
    disputes: [],
  };
  order.payments.push(payment);
  queuePaymentWebhook(context, order, payment, plan);
  return payment;
}

/** Takes the money of an authorised payment. A captured one answers as it is: the call may be repeated. */
export function capturePayment(context: SandboxContext, { order, payment }: FoundPayment): void {
  if (payment.state === 'captured') return;
  requireAuthorized(payment, 'captured');
  movePayment(context, order, payment, 'captured');
}

/** Gives up an authorised payment. A canceled one answers as it is. */
export function voidPayment(context: SandboxContext, { order, payment }: FoundPayment): void {
  if (payment.state === 'canceled') return;
  requireAuthorized(payment, 'voided');
  movePayment(context, order, payment, 'canceled');
}

/** What a refund is asked with; without an amount it is all that is still held. */
export type RefundRequest = { amountMinor?: number | undefined; key: string | null; state: SandboxRefund['state'] };

/** Gives money of a captured payment back, once per key. */
export function refundPayment(context: SandboxContext, found: FoundPayment, request: RefundRequest): SandboxRefund {
  const { order, payment } = found;
  const known = payment.refunds.find(refund => refund.key !== null && refund.key === request.key);
  if (known !== undefined) {
    if (request.amountMinor !== undefined && request.amountMinor !== known.amountMinor) {
      throw new SandboxRefusal(422, 'idempotency_key_reused', 'This key was used for a refund of another amount.');
    }
    return known;
  }
  const amountMinor = request.amountMinor ?? heldMinor(payment);
  if (payment.state !== 'captured') {
    throw new SandboxRefusal(409, 'not_captured', `A payment that is ${payment.state} cannot be refunded.`);
  }
  if (amountMinor < 1 || amountMinor > heldMinor(payment)) {
    const detail = `At most ${heldMinor(payment)} minor units of this payment can still be refunded.`;
    throw new SandboxRefusal(422, 'refund_too_large', detail);
  }
  const { key, state } = request;
  const at = nextFactAt(context, order);
  const refund: SandboxRefund = { refundId: newSandboxId(context, 'rfd'), state, amountMinor, key, at };
  payment.refunds.push(refund);
  touch(context, payment, refund.at);
  queueRefundWebhook(context, order, payment, refund);
  context.save(order);
  return refund;
}

/** Lets a refund that went through come back: the bank could not deliver it, the money is held again. */
export function failRefund(context: SandboxContext, { order, payment }: FoundPayment, refund: SandboxRefund): void {
  refund.state = 'failed';
  refund.at = nextFactAt(context, order);
  touch(context, payment, refund.at);
  queueRefundWebhook(context, order, payment, refund);
  context.save(order);
}

/** Moves the payment's dispute on, or opens one in that very state. Deciding it again is allowed: banks do. */
export function disputePayment(
  context: SandboxContext,
  { order, payment }: FoundPayment,
  state: SandboxDispute['state'],
): SandboxDispute {
  if (payment.state !== 'captured') {
    throw new SandboxRefusal(409, 'not_captured', `A payment that is ${payment.state} cannot be disputed.`);
  }
  const known = state === 'opened' ? undefined : payment.disputes.at(-1);
  const dispute = known ?? { disputeId: newSandboxId(context, 'dsp'), state, amountMinor: payment.amountMinor, at: '' };
  dispute.state = state;
  dispute.at = nextFactAt(context, order);
  if (known === undefined) payment.disputes.push(dispute);
  touch(context, payment, dispute.at);
  queueDisputeWebhook(context, order, payment, dispute);
  context.save(order);
  return dispute;
}

function requireAuthorized(payment: SandboxPayment, done: string): void {
  if (payment.state === 'authorized') return;
  throw new SandboxRefusal(409, 'not_authorized', `A payment that is ${payment.state} cannot be ${done}.`);
}

function movePayment(
  context: SandboxContext,
  order: SandboxOrder,
  payment: SandboxPayment,
  state: SandboxPayment['state'],
): void {
  payment.state = state;
  payment.at = nextFactAt(context, order);
  touch(context, payment, payment.at);
  queuePaymentWebhook(context, order, payment);
  context.save(order);
}

function touch(context: SandboxContext, payment: SandboxPayment, at: string): void {
  payment.changedAt = at;
  payment.sequence = context.store.nextSequence();
}
