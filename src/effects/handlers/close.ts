// Makes an order unpayable at its provider, or ends the provider's own recurring charges. An order that turns out to be
// paid cannot be closed: then what was paid is told, and the order goes on from there.
import { z } from 'zod';
import { providerIdSchema } from '../../../machines/orderEvents.ts';
import { ProviderRefused } from '../../errors.ts';
import type { EffectEnd, EffectHandler } from '../effect.ts';
import { aboutOrder, again, dead, done, type HandlerDeps, type Subject } from './subject.ts';
import { tellPayment } from './tell.ts';

/**
 * How long after an order was given up its opening may still be under way, in ms: several times what one call to a
 * provider may take. Before then an order without a session may yet get one, which must be closed.
 */
const OPENING_MAY_END_MS = 60_000;

const payloadSchema = z.object({ subscriptionId: providerIdSchema.optional() });

export const close = (deps: HandlerDeps): EffectHandler =>
  aboutOrder(deps, async subject => {
    const { effect, order, context, provider } = subject;
    const { subscriptionId } = payloadSchema.parse(effect.payload);
    if (subscriptionId !== undefined) return cancelSubscription(subject, subscriptionId);
    const { providerOrderId, askedAt } = order;
    if (providerOrderId === null) {
      const opened = new Date(askedAt.getTime() + OPENING_MAY_END_MS);
      if (deps.clock() < opened) return again('the order was not opened; perhaps it is being opened now', opened);
      return done('the order was never opened');
    }
    try {
      await provider.cancel({ providerOrderId, handle: context.providerHandle, paymentId: null, key: effect.dedupKey });
      return provider.closesOrders ? done() : done(`${provider.name} closes no orders; this one stays payable there`);
    } catch (error) {
      if (!(error instanceof ProviderRefused)) throw error;
      return whatIsTrue(deps, subject, providerOrderId, error);
    }
  });

async function cancelSubscription({ effect, provider }: Subject, subscriptionId: string): Promise<EffectEnd> {
  if (!provider.cancelSubscription) return done(`${provider.name} has no subscriptions of its own`);
  try {
    await provider.cancelSubscription({ subscriptionId, key: effect.dedupKey });
    return done();
  } catch (error) {
    if (error instanceof ProviderRefused) return dead(error.message);
    throw error;
  }
}

async function whatIsTrue(
  deps: HandlerDeps,
  subject: Subject,
  providerOrderId: string,
  refusal: ProviderRefused,
): Promise<EffectEnd> {
  const { order, provider } = subject;
  try {
    const found = await provider.findPayments({ orderId: order.id, providerOrderId });
    for (const payment of found) await tellPayment(deps, subject, payment);
    const standing = found.find(({ state }) => state !== 'failed' && state !== 'canceled');
    // Pending may still fail, and then the session could be paid in once more.
    if (standing?.state === 'pending') return again(`not closed: payment ${standing.paymentId} is pending`);
    if (standing) return done(`not closed: payment ${standing.paymentId} is ${standing.state}`);
    return dead(refusal.message);
  } catch (error) {
    // Refused the question too: a wrong key perhaps, which says nothing about the order.
    if (error instanceof ProviderRefused) return again(refusal.message);
    throw error;
  }
}
