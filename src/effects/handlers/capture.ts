// Takes the money of the authorisation an order waits for. Whatever the provider answers, its payment's state is what is
// told: captured by somebody else is captured, and voided or failed meanwhile is no error of ours.
import { z } from 'zod';
import { amountMinorSchema, currencySchema, providerIdSchema } from '../../../machines/orderEvents.ts';
import { ProviderRefused } from '../../errors.ts';
import type { ProviderPayment } from '../../providers/provider.ts';
import type { EffectEnd, EffectHandler } from '../effect.ts';
import { aboutOrder, again, dead, done, type HandlerDeps, type Subject } from './subject.ts';
import { tellPayment } from './tell.ts';

const payloadSchema = z.object({
  paymentId: providerIdSchema,
  amountMinor: amountMinorSchema,
  currency: currencySchema,
});

export const capture = (deps: HandlerDeps): EffectHandler =>
  aboutOrder(deps, async subject => {
    const { effect, provider } = subject;
    const asked = payloadSchema.parse(effect.payload);
    const otherwise = notAwaited(subject, asked.paymentId);
    if (otherwise) return otherwise;
    if (effect.maybeSent) {
      const payment = await provider.fetchPayment(asked.paymentId).catch(refusedOnly);
      if (!(payment instanceof ProviderRefused) && payment.state !== 'authorized')
        return conclude(deps, subject, payment);
    }
    try {
      return await conclude(deps, subject, await provider.capture({ ...asked, key: effect.dedupKey }));
    } catch (error) {
      return whatIsTrue(deps, subject, asked.paymentId, refusedOnly(error));
    }
  });

/** How it ends where the order waits for this authorisation no longer, or not now. */
function notAwaited({ context, state }: Subject, paymentId: string): EffectEnd | null {
  if (state === 'authorized' && context.authorizedBy === paymentId) return null;
  const payment = context.payments.find(entry => entry.paymentId === paymentId);
  // A person decides first; should the answer be to go on, it must still be there to be tried.
  if (state === 'parked' && payment?.state === 'authorized')
    return again('the order is parked: somebody must decide first');
  return done(`nothing to capture: the payment is ${payment?.state ?? 'unknown'}, the order ${state}`);
}

async function conclude(deps: HandlerDeps, subject: Subject, payment: ProviderPayment): Promise<EffectEnd> {
  const { provider } = subject;
  if (payment.state === 'authorized' || payment.state === 'pending') {
    return again(`${provider.name} took the capture, and says the payment is ${payment.state}`);
  }
  await tellPayment(deps, subject, payment);
  return payment.state === 'captured'
    ? done()
    : done(`not captured: ${provider.name} says the payment is ${payment.state}`);
}

/** A no may mean "done already" or "over": only a payment that could still be captured and is refused is dead. */
async function whatIsTrue(
  deps: HandlerDeps,
  subject: Subject,
  paymentId: string,
  refusal: ProviderRefused,
): Promise<EffectEnd> {
  const payment = await subject.provider.fetchPayment(paymentId).catch(refusedOnly);
  // Refused the question too: a wrong key perhaps, which says nothing about the payment.
  if (payment instanceof ProviderRefused) return again(refusal.message);
  if (payment.state === 'authorized') return dead(refusal.message);
  if (payment.state === 'pending') return again(refusal.message);
  return conclude(deps, subject, payment);
}

function refusedOnly(error: unknown): ProviderRefused {
  if (error instanceof ProviderRefused) return error;
  throw error;
}
