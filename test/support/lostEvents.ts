// Events that nobody could place, as an operator finds them: money without a name, somebody else's sale, a body that says
// nothing, and a customer's order that could be the one.
import type { InspectedService } from './inspector.ts';
import { captured, MONTHLY, openOrder, webhook } from './world.ts';

export type Lost = {
  /** Paid, and named by nothing we know; `order` was made four minutes before and costs the same. */
  nameless: string;
  order: { id: string; userId: string; providerOrderId: string };
  /** At Stripe, whose account sells other things, too. */
  foreign: string;
  /** Signed, and not to be understood. */
  garbled: string;
};

const MINUTE_MS = 60_000;

/** Told at the world's present instant. */
export async function loseEvents(service: InspectedService): Promise<Lost> {
  const { world } = service;
  const now = world.clock();
  const at = (minutes: number) => new Date(now.getTime() - minutes * MINUTE_MS);
  const order = await openOrder(world, { userId: 'katherine@orbit.example' });
  await world.sql`update orders set created_at = ${at(9)} where id = ${order.id}`;
  world.clock.set(at(5).toISOString());
  const headers = { 'content-type': 'application/json', 'user-agent': 'sandbox/1' };
  const tell = async (
    eventKey: string,
    [providerOrderId, paymentId]: [string, string],
    amountMinor: number,
    provider = 'sandbox',
  ) => {
    const event = { ...captured(paymentId, amountMinor), occurredAt: at(5).toISOString() };
    const envelope = webhook(providerOrderId, event, { eventKey, provider });
    const body = {
      type: 'payment.captured',
      data: { providerOrderId, paymentId, amountMinor, currency: 'INR', email: 'katherine@orbit.example' },
    };
    const raw = Buffer.from(JSON.stringify(body));
    const { eventType, bodyHash } = envelope.received!;
    await world.dispatch({ ...envelope, received: { eventType, bodyHash, raw, headers } });
    return eventKey;
  };
  const nameless = await tell('evt_9Kd2TqLx77aZ', ['sbo_renamed_at_the_till', 'pay_Qx81LmPz03Rt'], MONTHLY.amountMinor);
  await tell('evt_9Kd2TqLx77aZ', ['sbo_renamed_at_the_till', 'pay_Qx81LmPz03Rt'], MONTHLY.amountMinor);
  world.clock.set(at(40).toISOString());
  const foreign = await tell('evt_3Wm8VbNc55eY', ['cs_gift_shop_0815', 'pi_3QhHb20XsWq94Kd'], 125_000, 'stripe');
  await world.sql`update inbox set verdict = 'foreign', next_attempt_at = null, attempts = 6 where event_key = ${foreign}`;
  world.clock.set(at(5).toISOString());
  const garbled = 'evt_7Pz4RgUj21oM';
  await service.webhook(
    { type: 'payment.captured', data: { providerOrderId: 'sbo_x', amountMinor: 'much' } },
    { id: garbled },
  );
  world.clock.set(now.toISOString());
  return { nameless, order, foreign, garbled };
}
