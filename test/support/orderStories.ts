// Orders with a past, told through the service's own endpoints: what an operator meets on the pages of the inspector.
import { checkOut, PLAN, pay, type Service } from './httpService.ts';

type Order = Awaited<ReturnType<typeof checkOut>>;
export type Story = Order & { paymentId: string };

const told = (type: string, order: Order, data: object) => ({
  type,
  data: { providerOrderId: order.providerOrderId, ...data },
});
const money = { amountMinor: PLAN.amountMinor, currency: PLAN.currency };

/** Paid once, told four times, with a late failure of another attempt. */
export async function paidOrder(service: Service): Promise<Story> {
  const order = await checkOut(service);
  const { paymentId } = pay(service, order.providerOrderId) as { paymentId: string };
  const captured = told('payment.captured', order, { paymentId, ...money });
  await service.webhook(told('payment.failed', order, { paymentId: `${paymentId}_first`, reason: 'card declined' }));
  await service.webhook(captured, { id: `evt_${paymentId}` });
  await service.webhook(captured, { id: `evt_${paymentId}` });
  await service.webhook(captured);
  await service.webhook(told('payment.failed', order, { paymentId: `${paymentId}_late`, reason: 'timed out' }));
  return { ...order, paymentId };
}

/** Paid, and part of it sent back on an operator's word. */
export async function partlyRefundedOrder(service: Service): Promise<Story> {
  const order = await paidOrder(service);
  const { paymentId } = order;
  const body = { reason: 'goodwill for the outage', amountMinor: 10_000 };
  await service.call('POST', `/v1/orders/${order.id}/refund`, { body });
  const refund = { paymentId, refundId: `rfd_${paymentId}`, amountMinor: 5_000, currency: 'INR' };
  await service.webhook(told('refund.completed', order, refund));
  return order;
}

/** Money that is not what the order costs. */
export async function parkedOrder(service: Service): Promise<Story> {
  const order = await checkOut(service);
  const paymentId = `pay_odd_${order.id.slice(-6)}`;
  await service.webhook(told('payment.captured', order, { paymentId, amountMinor: 50_000, currency: 'INR' }));
  return { ...order, paymentId };
}

/** Reserved, and the capture has failed three times. */
export async function reservedOrder(service: Service): Promise<Story> {
  const order = await checkOut(service);
  const { paymentId } = pay(service, order.providerOrderId, 'authorized') as { paymentId: string };
  await service.webhook(told('payment.authorized', order, { paymentId, ...money }));
  const { sql, clock } = service.world;
  const nextAt = new Date(clock().getTime() + 40_000).toISOString();
  await sql`update outbox set attempts = 3, last_error = 'the sandbox does not answer', available_at = ${nextAt}
    where order_id = ${order.id} and effect = 'capture'`;
  return { ...order, paymentId };
}

/** Whatever its effect of this name was, it was given up. */
export async function giveUp(service: Service, order: Order, effect: string, error: string): Promise<void> {
  await service.world.sql`update outbox set status = 'dead', attempts = 12, last_error = ${error}
    where order_id = ${order.id} and effect = ${effect}`;
}
