// The sandbox's payments from the service's side: read, listed, captured, sent back, let go. Each answer is the
// payment's state at the sandbox, never what was asked for.
import { z } from 'zod';
import { amountMinorSchema, currencySchema, providerIdSchema } from '../../../machines/orderEvents.ts';
import { ProviderRefused } from '../../errors.ts';
import type { PaymentProvider, ProviderDispute, ProviderPayment, ProviderRefund } from '../provider.ts';
import { readableText } from '../readableText.ts';
import type { SandboxClient } from './client.ts';
import { normaliseInstant } from './webhookBody.ts';

/** Ids the sandbox gives. Others are not asked for: `..` as an id would address another resource. */
const SANDBOX_ID = /^[A-Za-z0-9_-]{1,128}$/;
/** Payments asked for at once; the next page follows. */
const PAGE_SIZE = 100;

const refundSchema = z.object({
  refundId: providerIdSchema,
  state: z.enum(['pending', 'completed', 'failed']),
  amountMinor: amountMinorSchema,
  /** The idempotency key it was asked for with. */
  key: z.string().nullish(),
  occurredAt: z.unknown().optional(),
});
const disputeSchema = z.object({
  disputeId: providerIdSchema,
  state: z.enum(['opened', 'won', 'lost']),
  amountMinor: amountMinorSchema,
  occurredAt: z.unknown().optional(),
});
const paymentSchema = z.object({
  paymentId: providerIdSchema,
  providerOrderId: providerIdSchema,
  orderId: z.string().optional(),
  state: z.enum(['pending', 'authorized', 'captured', 'failed', 'canceled']),
  amountMinor: amountMinorSchema,
  currency: currencySchema,
  reason: z.unknown().optional(),
  refunds: z.array(refundSchema).optional(),
  disputes: z.array(disputeSchema).optional(),
  occurredAt: z.unknown().optional(),
});
const orderSchema = z.object({ payments: z.array(paymentSchema) });
const pageSchema = z.object({ payments: z.array(paymentSchema), nextCursor: z.string().nullable() });

type Outbound = Pick<
  PaymentProvider,
  'fetchPayment' | 'findPayments' | 'listPayments' | 'capture' | 'refund' | 'findRefund' | 'cancel'
>;

/** Everything the service asks the sandbox about payments. Refused and unknown are told apart by the client. */
export function sandboxPayments(client: SandboxClient): Outbound {
  return {
    async fetchPayment(paymentId) {
      return paymentFrom(
        await client.call({ method: 'GET', path: `/api/payments/${known(paymentId)}`, answer: paymentSchema }),
      );
    },
    async findPayments({ providerOrderId }) {
      const order = await client.call({
        method: 'GET',
        path: `/api/orders/${known(providerOrderId)}`,
        answer: orderSchema,
      });
      return order.payments.map(paymentFrom);
    },
    async listPayments(since, cursor) {
      const query = new URLSearchParams({
        limit: String(PAGE_SIZE),
        ...(cursor ? { cursor } : { since: since.toISOString() }),
      });
      const page = await client.call({ method: 'GET', path: `/api/payments?${query}`, answer: pageSchema });
      return { payments: page.payments.map(paymentFrom), cursor: page.nextCursor };
    },
    async capture({ paymentId, key }) {
      const path = `/api/payments/${known(paymentId)}/capture`;
      return paymentFrom(await client.call({ method: 'POST', path, idempotencyKey: key, answer: paymentSchema }));
    },
    async refund({ paymentId, amountMinor, key }) {
      const path = `/api/payments/${known(paymentId)}/refunds`;
      return refundFrom(
        await client.call({ method: 'POST', path, idempotencyKey: key, body: { amountMinor }, answer: refundSchema }),
      );
    },
    async findRefund({ paymentId, key }) {
      const path = `/api/payments/${known(paymentId)}`;
      const { refunds = [] } = await client.call({ method: 'GET', path, answer: paymentSchema });
      const found = refunds.find(refund => refund.key === key);
      return found ? refundFrom(found) : null;
    },
    async cancel({ providerOrderId, paymentId, key }) {
      const path =
        paymentId === null ? `/api/orders/${known(providerOrderId)}/close` : `/api/payments/${known(paymentId)}/void`;
      await client.call({ method: 'POST', path, idempotencyKey: key, answer: z.unknown() });
    },
  };
}

function known(id: string): string {
  if (!SANDBOX_ID.test(id)) throw new ProviderRefused('The sandbox never gave anything this id.');
  return id;
}

function paymentFrom({
  reason: toldReason,
  occurredAt: toldAt,
  refunds,
  disputes,
  orderId,
  ...payment
}: z.infer<typeof paymentSchema>): ProviderPayment {
  const reason = readableText(toldReason);
  const occurredAt = normaliseInstant(toldAt);
  return {
    ...payment,
    orderId: orderId ?? null,
    ...(reason !== undefined && { reason }),
    ...(refunds !== undefined && { refunds: refunds.map(refundFrom) }),
    ...(disputes !== undefined && { disputes: disputes.map(disputeFrom) }),
    ...(occurredAt !== undefined && { occurredAt }),
  };
}

function disputeFrom({ occurredAt: toldAt, ...dispute }: z.infer<typeof disputeSchema>): ProviderDispute {
  const occurredAt = normaliseInstant(toldAt);
  return { ...dispute, ...(occurredAt !== undefined && { occurredAt }) };
}

function refundFrom({
  refundId,
  state,
  amountMinor,
  occurredAt: toldAt,
}: z.infer<typeof refundSchema>): ProviderRefund {
  const occurredAt = normaliseInstant(toldAt);
  return { refundId, state, amountMinor, ...(occurredAt !== undefined && { occurredAt }) };
}
