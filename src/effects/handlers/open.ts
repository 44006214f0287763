// A surplus payment that the plan turns into more time gets an order of its own, of kind `surplus`: the plan as it was
// bought, an id derived from the payment, so that however often this runs it is one order, and one grant.
import { z } from 'zod';
import { amountMinorSchema, currencySchema, instantSchema, providerIdSchema } from '../../../machines/orderEvents.ts';
import { ProviderRefused } from '../../errors.ts';
import { insertFollowingOrder } from '../../followingOrder.ts';
import { derivedOrderId } from '../../ids.ts';
import type { ProviderPayment } from '../../providers/provider.ts';
import type { EffectHandler } from '../effect.ts';
import { aboutOrder, again, dead, done, type HandlerDeps, type Subject } from './subject.ts';
import { tellPayment } from './tell.ts';

const payloadSchema = z.object({
  kind: z.literal('surplus'),
  paymentId: providerIdSchema,
  amountMinor: amountMinorSchema,
  currency: currencySchema,
  occurredAt: instantSchema.optional(),
});
type Asked = z.infer<typeof payloadSchema>;

export const open = (deps: HandlerDeps): EffectHandler =>
  aboutOrder(deps, async subject => {
    const { order, effect, provider } = subject;
    const asked = payloadSchema.parse({ currency: order.currency, ...effect.payload });
    const payment = await asItStands(subject, asked);
    if (payment.state === 'failed' || payment.state === 'canceled') {
      return dead(`${provider.name} says that the payment is ${payment.state}`);
    }
    if (payment.state !== 'captured') return again(`${provider.name} says that the payment is ${payment.state}`);
    const id = derivedOrderId(provider.name, asked.paymentId);
    const as = { id, kind: 'surplus', provider: provider.name, source: 'worker', eventKey: effect.dedupKey } as const;
    await insertFollowingOrder(deps, order, as);
    await tellPayment(deps, { ...subject, order: { ...order, id } }, payment);
    return done(`the payment is order ${id}`);
  });

/**
 * Asked afresh, with its refunds: one that was told to the first order would not be looked for in the new one. A payment
 * the provider does not know was believed when it was told, and is believed now.
 */
async function asItStands({ provider }: Subject, asked: Asked): Promise<ProviderPayment> {
  const { paymentId, amountMinor, currency, occurredAt } = asked;
  try {
    return await provider.fetchPayment(paymentId);
  } catch (error) {
    if (!(error instanceof ProviderRefused)) throw error;
    const nowhere = { providerOrderId: null, orderId: null, state: 'captured' as const };
    return { paymentId, amountMinor, currency, ...nowhere, ...(occurredAt !== undefined && { occurredAt }) };
  }
}
