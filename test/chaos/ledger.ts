// What the provider itself says happened to the money: read from its journal, where every change of a payment is a line,
// and from the calls that got through to it.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sandboxOrderSchema } from '../../src/providers/sandbox/serverState.ts';
import type { ProxyCall } from '../support/faultyProxy.ts';

export type LedgerPayment = {
  paymentId: string;
  orderId: string;
  amountMinor: number;
  state: string;
  /** How often it went from not captured to captured. */
  charges: number;
  refunds: { refundId: string; amountMinor: number; state: string; key: string | null }[];
};

/** Every payment of the sandbox whose folder this is. */
export async function readLedger(dataDir: string): Promise<LedgerPayment[]> {
  const payments = new Map<string, LedgerPayment>();
  const text = await readFile(join(dataDir, 'sandbox', 'orders.jsonl'), 'utf8');
  for (const line of text.split('\n').filter(Boolean)) {
    const { orderId, payments: told } = sandboxOrderSchema.parse(JSON.parse(line));
    for (const { paymentId, amountMinor, state, refunds } of told) {
      const before = payments.get(paymentId);
      const isCharge = state === 'captured' && before?.state !== 'captured';
      const charges = (before?.charges ?? 0) + (isCharge ? 1 : 0);
      payments.set(paymentId, { paymentId, orderId, amountMinor, state, charges, refunds });
    }
  }
  return [...payments.values()];
}

/** What was asked of one payment, or of one refund of it, in the calls that got through. */
export type Asked = {
  paymentId: string;
  /** Distinct idempotency keys: a provider that only knows keys would have done it as often. */
  keys: Set<string | null>;
  /** Calls that came after one that did it: they would have done it again at a provider that knows no keys. */
  again: number;
  /** The call that did it was answered. */
  wasAnswered: boolean;
};

/** By payment. `what` is the last part of the path: `capture`, `refunds`. */
export function askedOf(calls: readonly ProxyCall[], what: 'capture' | 'refunds'): Map<string, Asked> {
  const asked = new Map<string, Asked>();
  const path = new RegExp(`^/api/payments/([^/]+)/${what}$`);
  for (const call of calls) {
    const paymentId = call.method === 'POST' ? path.exec(call.path)?.[1] : undefined;
    if (paymentId === undefined || call.status === null || call.status >= 300) continue;
    const known = asked.get(paymentId);
    if (known) {
      known.again += 1;
      known.keys.add(call.key);
    } else {
      asked.set(paymentId, { paymentId, keys: new Set([call.key]), again: 0, wasAnswered: call.fault === null });
    }
  }
  return asked;
}
