// Providers that list what went back apart from payments, seen the same way by a test: somebody pays, a bank disputes it or
// the merchant sends it back on the provider's pages, and nobody tells us.
import { MONEY_BACK_KINDS } from '../../src/providers/provider.ts';
import type { Opened, ProviderService } from './providerService.ts';
import { startRazorpayService } from './razorpayService.ts';
import { startStripeService } from './stripeService.ts';

/** A dispute or a refund through its life: under way, then the money is gone, then it is back with the merchant after all. */
type Life = {
  /** Of all the payment's money. Its id. */
  begin(paymentId: string): string;
  end(id: string, how: 'gone' | 'back'): void;
  /** As many that begin now, of somebody else's sales of long ago. */
  crowd(count: number): void;
};

export type MoneyBackBench = ProviderService & {
  /** The customer pays; nobody tells us. The payment's id. */
  pay(order: Opened | null): string;
  disputes: Life;
  refunds: Life;
  /** How often something of this path was asked for. */
  asked(path: RegExp): number;
  /** The next call of this path is answered so. */
  answer(path: RegExp, status: number): void;
  /** It answers everything again. */
  clear(): void;
};

/** What each kind is called in events and books, and the words of its states. */
export const KINDS = {
  disputes: { type: 'dispute.updated', id: 'disputeId', begun: 'opened', gone: 'lost', back: 'won' },
  refunds: { type: 'refund.updated', id: 'refundId', begun: 'pending', gone: 'completed', back: 'failed' },
} as const;

/** Every bench with every kind, for `describe.each`. */
export const BENCHES = (
  [
    ['razorpay', startRazorpayBench],
    ['stripe', startStripeBench],
  ] as const
).flatMap(([provider, start]) => MONEY_BACK_KINDS.map(kind => ({ provider, kind, start })));

export async function startRazorpayBench(): Promise<MoneyBackBench & Awaited<ReturnType<typeof startRazorpayService>>> {
  const service = await startRazorpayService();
  const { bank, world } = service;
  world.clock.set('2026-03-01T12:00:00.000Z');
  const nowS = () => Math.floor(world.clock().getTime() / 1_000);
  const crowdOf = (begin: Life['begin']) => (count: number) => {
    for (let n = 0; n < count; n++) begin(String(bank.pay(null, { created_at: 1 }).id));
  };
  const dispute = (paymentId: string) => String(bank.dispute(paymentId, { created_at: nowS() }).id);
  const refund = (paymentId: string) => String(bank.refund(paymentId, { created_at: nowS(), status: 'pending' }).id);
  return {
    ...service,
    pay: order => String(bank.pay(order?.providerOrderId ?? null, { created_at: nowS() }).id),
    disputes: {
      begin: dispute,
      end(id, how) {
        const entry = bank.disputes.get(id)!;
        Object.assign(entry, how === 'gone' ? { status: 'lost', amount_deducted: entry.amount } : { status: 'won' });
      },
      crowd: crowdOf(dispute),
    },
    refunds: {
      begin: refund,
      end: (id, how) =>
        how === 'gone' ? void Object.assign(bank.refunds.get(id)!, { status: 'processed' }) : bank.failRefund(id),
      crowd: crowdOf(refund),
    },
    asked: path => bank.calls.filter(call => path.test(call)).length,
    answer: (path, status) => void bank.faults.push({ to: path, fault: status }),
    clear: () => void bank.faults.splice(0),
  };
}

export async function startStripeBench(): Promise<MoneyBackBench> {
  const service = await startStripeService();
  const { world, fake } = service;
  const { state } = fake;
  const nowS = () => Math.floor(world.clock().getTime() / 1_000);
  const nobodys = (created = nowS()) => {
    const intent = state.addIntent({ status: 'succeeded', amount_received: 1_999, created });
    intent.latest_charge = { id: `ch_${intent.id}`, object: 'charge', created, amount: 1_999, disputed: false };
    return intent;
  };
  const crowdOf = (begin: Life['begin']) => (count: number) => {
    for (let n = 0; n < count; n++) begin(nobodys(1).id);
  };
  const dispute = (paymentId: string) => state.disputes.open(paymentId, { created: nowS() }).id;
  const refund = (paymentId: string) => state.sendBack(paymentId, { created: nowS(), status: 'pending' }).id;
  return {
    ...service,
    pay: order => {
      const intent = order ? state.pay(order.providerOrderId) : nobodys();
      intent.created = nowS();
      return intent.id;
    },
    disputes: {
      begin: dispute,
      end: (id, how) => void Object.assign(state.disputes.byId.get(id)!, { status: how === 'gone' ? 'lost' : 'won' }),
      crowd: crowdOf(dispute),
    },
    refunds: {
      begin: refund,
      end: (id, how) => void Object.assign(state.refunds.get(id)!, { status: how === 'gone' ? 'succeeded' : 'failed' }),
      crowd: crowdOf(refund),
    },
    asked: path => fake.calls.filter(call => path.test(`${call.method} ${call.path}${call.query}`)).length,
    answer: (path, status) =>
      void fake.faults.push({ path, fault: { status, body: '{"error":{"type":"invalid_request_error"}}' } }),
    clear: () => void fake.faults.splice(0),
  };
}
