// Sends money back, once per request: what may have been sent is looked up under the request's key before anything is sent.
// Where nothing is to be sent after all the order is told so, because the money was set aside for it.
import { z } from 'zod';
import { amountText } from '../../../machines/amountText.ts';
import { counts, refundableMinor } from '../../../machines/money.ts';
import { amountMinorSchema, providerIdSchema } from '../../../machines/orderEvents.ts';
import { ProviderRefused } from '../../errors.ts';
import type { ProviderPayment, ProviderRefund } from '../../providers/provider.ts';
import type { EffectEnd, EffectHandler } from '../effect.ts';
import { aboutOrder, again, dead, done, type HandlerDeps, type Subject } from './subject.ts';
import { tellAskedRefund, tellPayment, tellUnsent, type Unsent } from './tell.ts';
import { theirPayment } from './theirPayment.ts';

const payloadSchema = z.object({
  paymentId: providerIdSchema,
  amountMinor: amountMinorSchema,
  cause: z.string().optional(),
});
type Asked = z.infer<typeof payloadSchema>;

export const refund = (deps: HandlerDeps): EffectHandler =>
  aboutOrder(deps, async subject => {
    const { effect, context, order, provider } = subject;
    const asked = payloadSchema.parse(effect.payload);
    const { paymentId, amountMinor } = asked;
    const key = effect.dedupKey;
    try {
      const before = effect.maybeSent ? await provider.findRefund({ paymentId, key, since: order.askedAt }) : null;
      if (before) return await conclude(deps, subject, asked, before);
      const unwanted = asked.cause === 'surplus' ? noSurplusAnyMore(subject, asked) : null;
      if (unwanted) return await notSent(deps, subject, { ...asked, reason: unwanted, unwanted: true });
      const payment = context.payments.find(entry => entry.paymentId === paymentId);
      const currency = payment?.currency ?? order.currency;
      return await conclude(deps, subject, asked, await provider.refund({ paymentId, amountMinor, currency, key }));
    } catch (error) {
      if (!(error instanceof ProviderRefused)) throw error;
      return whatIsTrue(deps, subject, asked, error);
    }
  });

/**
 * Why a surplus payment is kept after all: without it, less than the price of what is granted would be left. Refunds that
 * are under way or asked for count as gone, so that two of them never take the last payment together.
 */
function noSurplusAnyMore({ effect, context, order, state }: Subject, { amountMinor }: Asked): string | null {
  if (state !== 'subscribed' && state !== 'captured') return null;
  const others = ({ key }: { key: string }) => key !== effect.dedupKey;
  const left = context.payments
    .filter(counts)
    .reduce((sum, payment) => sum + refundableMinor({ ...payment, asked: payment.asked.filter(others) }), 0);
  if (left - amountMinor >= context.amountMinor) return null;
  return `kept: without these ${amountText(amountMinor, order.currency)} the order would no longer be paid`;
}

async function conclude(
  deps: HandlerDeps,
  subject: Subject,
  { paymentId }: Asked,
  made: ProviderRefund,
): Promise<EffectEnd> {
  await tellAskedRefund(deps, subject, paymentId, made);
  if (made.state === 'completed') return done();
  // A pending one is asked about by the order itself from now on, and stands in nobody's way.
  return done(`${subject.provider.name} says that refund ${made.refundId} is ${made.state}`);
}

async function notSent(deps: HandlerDeps, subject: Subject, unsent: Unsent): Promise<EffectEnd> {
  await tellUnsent(deps, subject, unsent);
  return done(unsent.reason);
}

/** Refused: somebody else may have sent it back, in the dashboard perhaps; then there is nothing left to send. */
async function whatIsTrue(
  deps: HandlerDeps,
  subject: Subject,
  asked: Asked,
  refusal: ProviderRefused,
): Promise<EffectEnd> {
  let payment: ProviderPayment;
  try {
    payment = await theirPayment(subject, asked.paymentId);
  } catch (error) {
    // Refused the question too: a wrong key perhaps, which says nothing about the payment.
    if (error instanceof ProviderRefused) return again(refusal.message);
    throw error;
  }
  await tellPayment(deps, subject, payment);
  const left = leftToRefund(payment);
  // Somebody can do something about it (a balance, a dispute): the money stays set aside, and a retry sends it.
  if (left >= asked.amountMinor) return dead(refusal.message);
  const reason = `not sent: ${amountText(left, subject.order.currency)} are left to refund, as ${subject.provider.name} says`;
  const isBack = payment.state === 'captured' && left === 0;
  return notSent(deps, subject, { ...asked, reason, ...(isBack && { unwanted: true }) });
}

function leftToRefund({ state, amountMinor, refunds = [] }: ProviderPayment): number {
  // Reserved money can still be taken, and then given back.
  if (state === 'failed' || state === 'canceled') return 0;
  return refunds.reduce((left, entry) => left - (entry.state === 'failed' ? 0 : entry.amountMinor), amountMinor);
}
