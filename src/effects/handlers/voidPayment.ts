// Gives an authorised payment back that nobody wants captured. Where the provider cannot, or the money was taken meanwhile,
// the order is told what is true and goes on from there.
import { z } from 'zod';
import { providerIdSchema } from '../../../machines/orderEvents.ts';
import { ProviderRefused } from '../../errors.ts';
import type { ProviderPayment } from '../../providers/provider.ts';
import type { EffectEnd, EffectHandler } from '../effect.ts';
import { aboutOrder, again, dead, done, type HandlerDeps, type Subject } from './subject.ts';
import { tellPayment } from './tell.ts';

const payloadSchema = z.object({ paymentId: providerIdSchema });

export const voidPayment = (deps: HandlerDeps): EffectHandler =>
  aboutOrder(deps, async subject => {
    const { effect, order, context, state, provider } = subject;
    const { paymentId } = payloadSchema.parse(effect.payload);
    if (state === 'authorized' && context.authorizedBy === paymentId) {
      return done('the order waits for this payment after all');
    }
    try {
      if (effect.maybeSent) {
        const payment = await provider.fetchPayment(paymentId);
        if (isOver(payment)) return await conclude(deps, subject, payment);
      }
      const providerOrderId = order.providerOrderId ?? order.id;
      await provider.cancel({ providerOrderId, handle: context.providerHandle, paymentId, key: effect.dedupKey });
      // Told as it stands there, with its time: the answer to a void says neither.
      return await conclude(deps, subject, await provider.fetchPayment(paymentId));
    } catch (error) {
      if (!(error instanceof ProviderRefused)) throw error;
      return whatIsTrue(deps, subject, paymentId, error);
    }
  });

const isOver = ({ state }: ProviderPayment) => state !== 'authorized' && state !== 'pending';

async function conclude(deps: HandlerDeps, subject: Subject, payment: ProviderPayment): Promise<EffectEnd> {
  await tellPayment(deps, subject, payment);
  if (payment.state !== 'captured') return done();
  return done("the payment was captured meanwhile: its money is now the order's to settle");
}

async function whatIsTrue(
  deps: HandlerDeps,
  subject: Subject,
  paymentId: string,
  refusal: ProviderRefused,
): Promise<EffectEnd> {
  const { provider } = subject;
  let payment: ProviderPayment;
  try {
    payment = await provider.fetchPayment(paymentId);
  } catch (error) {
    // Refused the question too: a wrong key perhaps, which says nothing about the payment.
    if (error instanceof ProviderRefused) return again(refusal.message);
    throw error;
  }
  if (isOver(payment)) return conclude(deps, subject, payment);
  // No trouble: it will be captured and is surplus then, or ends by itself; either is told by its own events.
  if (provider.voidsPayments === false) return done(refusal.message);
  return payment.state === 'pending' ? again(refusal.message) : dead(refusal.message);
}
