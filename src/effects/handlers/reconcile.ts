// Asks the provider for the truth about one order: about one payment when it is named, else about all of them, again and
// again by the schedule until the order is settled or nobody can pay it any more. The answers are events like any others.
import { z } from 'zod';
import { ASK_SCHEDULE_MS } from '../../../machines/askSchedule.ts';
import { providerIdSchema } from '../../../machines/orderEvents.ts';
import { ProviderRefused } from '../../errors.ts';
import type { ProviderPayment, ProviderRefund } from '../../providers/provider.ts';
import { learned } from '../../reconcile/learned.ts';
import type { EffectEnd, EffectHandler } from '../effect.ts';
import { isNews } from './news.ts';
import { aboutOrder, again, dead, done, type HandlerDeps, nobodyKnows, type Subject, subjectOf } from './subject.ts';
import { tellAskedRefund } from './tell.ts';
import { theirPayment } from './theirPayment.ts';

const DAY_MS = 24 * 3_600_000;

const payloadSchema = z.object({
  paymentId: providerIdSchema.nullish(),
  /** Of this payment, until it is completed or failed. */
  refundId: providerIdSchema.optional(),
  /** The key it was asked for with, if it was asked for here. */
  requestKey: z.string().optional(),
});
type AskedRefund = { paymentId: string; refundId: string; requestKey?: string | undefined };

export const reconcile = (deps: HandlerDeps): EffectHandler =>
  aboutOrder(deps, async subject => {
    const { paymentId, refundId, requestKey } = payloadSchema.parse(subject.effect.payload);
    if (paymentId && refundId) return askAboutRefund(deps, subject, { paymentId, refundId, requestKey });
    return paymentId ? askAboutPayment(deps, subject, paymentId) : askAboutOrder(deps, subject);
  });

/** What the payment needs next is asked for by the order's own deadline: this only tells. */
async function askAboutPayment(deps: HandlerDeps, subject: Subject, paymentId: string): Promise<EffectEnd> {
  try {
    const payment = await subject.provider.fetchPayment(paymentId);
    await tellNews(deps, subject, [payment]);
    return done(`${subject.provider.name} says that the payment is ${payment.state}`);
  } catch (error) {
    if (error instanceof ProviderRefused) return done(error.message);
    if (nobodyKnows(error)) return nextAsk(deps, subject, error.message);
    throw error;
  }
}

/** A refund under way is over when its provider says so, however many of its webhooks are lost. */
async function askAboutRefund(deps: HandlerDeps, subject: Subject, asked: AskedRefund): Promise<EffectEnd> {
  const { provider } = subject;
  const { paymentId, refundId } = asked;
  const known = subject.context.payments
    .find(payment => payment.paymentId === paymentId)
    ?.refunds.find(({ id }) => id === refundId);
  if (known && known.state !== 'pending') return done(`the refund has ${known.state} already`);
  const waits = `refund ${refundId} is still under way at ${provider.name}`;
  try {
    const payment = await theirPayment(subject, paymentId);
    await tellNews(deps, subject, [payment]);
    const { state } =
      payment.refunds?.find(refund => refund.refundId === refundId) ?? (await byItsKey(deps, subject, asked));
    if (state === 'pending') return nextAsk(deps, subject, waits);
    return done(`${provider.name} says that the refund ${state}`);
  } catch (error) {
    if (error instanceof ProviderRefused || nobodyKnows(error)) return nextAsk(deps, subject, error.message);
    throw error;
  }
}

/** Some providers do not list the refunds of a payment; one of ours is found by the key it was sent with. */
async function byItsKey(
  deps: HandlerDeps,
  subject: Subject,
  { paymentId, refundId, requestKey }: AskedRefund,
): Promise<Pick<ProviderRefund, 'state'>> {
  const { provider, order } = subject;
  // Sent a moment before it was told, perhaps on the day before.
  const since = new Date(order.askedAt.getTime() - DAY_MS);
  const found = requestKey && (await provider.findRefund({ paymentId, key: requestKey, since }));
  if (!found || found.refundId !== refundId) return { state: 'pending' };
  await tellAskedRefund(deps, subject, paymentId, found, requestKey);
  return found;
}

async function askAboutOrder(deps: HandlerDeps, subject: Subject): Promise<EffectEnd> {
  if (isSettled(subject)) return done();
  const { providerOrderId } = subject.order;
  if (providerOrderId === null) return done('the order was never opened');
  try {
    const found = await everyPayment(subject, providerOrderId);
    await tellNews(deps, subject, found);
    const now = await subjectOf(deps, subject.effect);
    if ('end' in now) return now;
    if (isSettled(now)) return done();
    const isOpen = found.some(({ state }) => state !== 'failed' && state !== 'canceled');
    if (!isOpen && cannotBePaid(now)) return done('nobody has paid, and nobody can any more');
    return nextAsk(deps, subject, null);
  } catch (error) {
    // A no to the question is no answer about the order: a wrong key perhaps.
    if (error instanceof ProviderRefused || nobodyKnows(error)) return nextAsk(deps, subject, error.message);
    throw error;
  }
}

const isSettled = ({ state }: Subject) => state === 'subscribed' || state === 'refunded';

/** Given up here, and closed there. */
const cannotBePaid = ({ state, order, provider }: Subject) =>
  state === 'failed' && provider.closesOrders && order.closedThere;

/** Not every provider tells all payments of an order at once: an authorisation we wait for is asked for by its name. */
async function everyPayment(
  { order, context, provider }: Subject,
  providerOrderId: string,
): Promise<ProviderPayment[]> {
  const found = await provider.findPayments({ orderId: order.id, providerOrderId });
  const waiting = context.payments.filter(
    ({ paymentId, state }) => state === 'authorized' && !found.some(payment => payment.paymentId === paymentId),
  );
  for (const { paymentId } of waiting) found.push(await provider.fetchPayment(paymentId));
  return found;
}

async function tellNews({ dispatch }: HandlerDeps, { order, context, provider }: Subject, found: ProviderPayment[]) {
  const { id: orderId, providerOrderId } = order;
  for (const payment of found) {
    for (const envelope of learned(provider.name, payment, { orderId, providerOrderId })) {
      if (envelope.event && isNews(context, envelope.event)) await dispatch(envelope);
    }
  }
}

/** The next question by the schedule; after the last one it is over, whether it was answered or nobody could be asked. */
function nextAsk({ clock }: HandlerDeps, { effect, state }: Subject, unanswered: string | null): EffectEnd {
  const wait = ASK_SCHEDULE_MS[effect.attempt];
  if (wait !== undefined) return again(unanswered ?? 'nothing new', new Date(clock().getTime() + wait));
  return unanswered === null ? done(`asked for the last time: the order is ${state}`) : dead(unanswered);
}
