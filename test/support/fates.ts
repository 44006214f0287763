// Thirty orders of mixed fate at the sandbox, what happens to each of them and when, and the sandbox's own ledger as the
// witness of what each has to become.
import { expect } from 'vitest';
import type { Json } from './httpService.ts';
import type { Opened } from './providerService.ts';
import { PLAN, type WholeService } from './wholeService.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
/** What happens within the hour happens on the minute; what takes days may be stretched to take longer. */
const WITHIN_MS = 60 * MINUTE_MS;

type Act = readonly [afterMs: number, story: string];
/** Each with the stories of the sandbox that befall it, in ms after it was opened. The payment window is 30 min. */
const FATES: Readonly<Record<string, readonly Act[]>> = {
  paid: [[2 * MINUTE_MS, 'succeed']],
  'paid at the second try': [[3 * MINUTE_MS, 'fail-then-succeed']],
  reserved: [[4 * MINUTE_MS, 'authorize-only']],
  declined: [[5 * MINUTE_MS, 'fail']],
  abandoned: [],
  'paid after it had expired': [[2 * DAY_MS, 'succeed']],
  'reserved after it had expired': [[5.5 * DAY_MS, 'authorize-only']],
  'paid twice at once': [[6 * MINUTE_MS, 'pay-twice']],
  'paid again in a second tab': [
    [7 * MINUTE_MS, 'succeed'],
    [DAY_MS, 'succeed'],
  ],
  'paid the wrong amount': [[8 * MINUTE_MS, 'wrong-amount']],
  'refunded in the dashboard': [
    [9 * MINUTE_MS, 'succeed'],
    [4 * DAY_MS, 'refund'],
  ],
  'refunded in part, then whole': [
    [10 * MINUTE_MS, 'succeed'],
    [3 * DAY_MS, 'partial-refund'],
    [5.5 * DAY_MS, 'refund'],
  ],
  'refunded in part': [
    [11 * MINUTE_MS, 'succeed'],
    [5.5 * DAY_MS, 'partial-refund'],
  ],
  'refunded, and the refund came back': [
    [12 * MINUTE_MS, 'succeed'],
    [2 * DAY_MS, 'refund'],
    [5 * DAY_MS, 'refund-fails'],
  ],
  'disputed and lost': [
    [13 * MINUTE_MS, 'succeed'],
    [3 * DAY_MS, 'dispute-opened'],
    [6 * DAY_MS, 'dispute-lost'],
  ],
};
const OF_EACH = 2;

export type Fated = Opened & { fate: string };

/** Opens two orders of each fate, now. */
export async function openFated(service: WholeService): Promise<Fated[]> {
  const orders: Fated[] = [];
  for (const fate of Object.keys(FATES).flatMap(name => Array<string>(OF_EACH).fill(name)))
    orders.push({ ...(await service.buy()), fate });
  return orders;
}

export type Playing = {
  /** How much longer everything takes that takes days. */
  stretch?: number;
  comesBack?: boolean;
  /** Brings the service to the instant of the next act; `travel` unless told. */
  go?: (toMs: number) => Promise<void>;
};

/** Everything that befalls them, each in its time from now. Only customers and banks act; the service learns what it can. */
export async function playFates(service: WholeService, orders: readonly Fated[], playing: Playing = {}): Promise<void> {
  const { stretch = 1, comesBack = false, go = toMs => service.travel(new Date(toMs).toISOString()) } = playing;
  const openedAt = service.now().getTime();
  const acts = orders.flatMap(order =>
    (FATES[order.fate] ?? []).map(([afterMs, story]) => ({
      order,
      story,
      atMs: openedAt + (afterMs < WITHIN_MS ? afterMs : afterMs * stretch),
    })),
  );
  for (const atMs of [...new Set(acts.map(act => act.atMs))].sort((a, b) => a - b)) {
    await go(atMs);
    for (const { order, story } of acts.filter(act => act.atMs === atMs))
      await service.pay(order, story, { comesBack: comesBack && !/refund|dispute/.test(story) });
  }
}

const sum = (list: { amountMinor: number; state: string }[], state: string) =>
  list.filter(entry => entry.state === state).reduce((total, { amountMinor }) => total + amountMinor, 0);

/** The state an order must have by what the sandbox holds of it. */
export function stateByLedger({ payments }: Json): string {
  const held = ({ state, amountMinor, refunds, disputes }: Json) =>
    state === 'captured' ? amountMinor - sum(refunds, 'completed') - sum(disputes, 'lost') : 0;
  const paying = payments.filter((p: Json) => p.state === 'captured' && p.amountMinor === PLAN.amountMinor);
  const net = paying.reduce((total: number, p: Json) => total + held(p), 0);
  if (paying.length > 0) return net > 0 ? 'subscribed' : 'refunded';
  return payments.some((p: Json) => held(p) > 0) ? 'parked' : 'failed';
}

/**
 * Each order stands as the sandbox's ledger says, payment by payment; nothing is reserved there any more, nothing is paid
 * twice, what nobody paid cannot be paid any more, and every fate was met.
 */
export async function expectAsTheLedgerSays(service: WholeService, orders: readonly Fated[]): Promise<void> {
  const states = new Map<string, string>();
  for (const { id, providerOrderId, fate } of orders) {
    const ledger = await service.dashboard('GET', `/orders/${providerOrderId}`);
    const { order, payments } = await service.timeline(id);
    expect(order.state, `${fate}: ${JSON.stringify(ledger.payments)}`).toBe(stateByLedger(ledger));
    const theirs = ledger.payments.filter((p: Json) => p.state === 'captured').map(moneyThere);
    const ours = payments.filter((p: Json) => p.state === 'captured').map(moneyHere);
    expect(byId(ours), `${fate}: money`).toEqual(byId(theirs));
    expect(
      ledger.payments.filter((p: Json) => p.state === 'authorized'),
      `${fate}: reserved`,
    ).toEqual([]);
    if (fate === 'abandoned') expect(ledger.status, `${fate}: still payable`).toBe('closed');
    if (order.state === 'subscribed') {
      const net = ours.reduce((total: number, p: Json) => total + p.captured - p.back, 0);
      expect(net, `${fate}: net`).toBeLessThanOrEqual(PLAN.amountMinor);
    }
    states.set(fate, order.state);
  }
  expect(Object.fromEntries(states)).toEqual(AT_THE_END);
}

const moneyThere = ({ paymentId, amountMinor, refunds, disputes }: Json) => ({
  paymentId,
  captured: amountMinor,
  back: sum(refunds, 'completed') + sum(disputes, 'lost'),
});
const moneyHere = ({ paymentId, capturedMinor, refundedMinor, lostMinor }: Json) => ({
  paymentId,
  captured: capturedMinor,
  back: refundedMinor + lostMinor,
});
const byId = (list: { paymentId: string }[]) => [...list].sort((a, b) => (a.paymentId < b.paymentId ? -1 : 1));

/** Written down as well, so that the ledger cannot be right about stories that were never played. */
const AT_THE_END: Readonly<Record<string, string>> = {
  paid: 'subscribed',
  'paid at the second try': 'subscribed',
  reserved: 'subscribed',
  declined: 'failed',
  abandoned: 'failed',
  'paid after it had expired': 'subscribed',
  'reserved after it had expired': 'subscribed',
  'paid twice at once': 'subscribed',
  'paid again in a second tab': 'subscribed',
  'paid the wrong amount': 'parked',
  'refunded in the dashboard': 'refunded',
  'refunded in part, then whole': 'refunded',
  'refunded in part': 'subscribed',
  'refunded, and the refund came back': 'subscribed',
  'disputed and lost': 'refunded',
};
