// A payment as its provider knows it now, with its refunds.
import type { ProviderPayment } from '../../providers/provider.ts';
import type { Subject } from './subject.ts';

/** Some providers tell a payment's refunds only with the payments of its order. @throws ProviderRefused, ProviderUnreachable */
export async function theirPayment(
  { order, provider }: Pick<Subject, 'order' | 'provider'>,
  paymentId: string,
): Promise<ProviderPayment> {
  const payment = await provider.fetchPayment(paymentId);
  if (payment.refunds !== undefined || order.providerOrderId === null) return payment;
  const found = await provider.findPayments({ orderId: order.id, providerOrderId: order.providerOrderId });
  const { refunds } = found.find(entry => entry.paymentId === paymentId) ?? {};
  return refunds === undefined ? payment : { ...payment, refunds };
}
