// What must be true of one order's money and grant after every decision, and what of it is compared between two tellings
// of the same facts.
import { expect } from 'vitest';
import type { Effect } from '../../machines/effects.ts';
import type { PaymentRecord } from '../../machines/money.ts';
import { stateName } from '../../machines/snapshot.ts';
import type { World } from './given.ts';

/** An order is subscribed exactly if it has one live grant; nobody was ever granted anything without a payment that counts. */
export function expectOneGrant({ order, subscription }: World): void {
  const grants = (subscription.all ?? []).filter(grant => grant.orderId === order.id);
  const live = grants.filter(grant => grant.revokedAt === null);
  expect(grants.length, 'grants of one order').toBeLessThanOrEqual(1);
  expect(live.length, `live grants of an order that is ${stateName(order)}`).toBe(
    stateName(order) === 'subscribed' ? 1 : 0,
  );
  const { granted, payments, amountMinor } = order.state.context;
  if (granted && amountMinor > 0) expect(payments.some(pays), 'granted without a payment that counts').toBe(true);
  expect(grants.length, 'granted as remembered').toBe(granted ? 1 : 0);
}

/**
 * Subscribed has 0 < net ≤ amount, every other state net = 0; each exception is named by an effect.
 */
export function expectMoneyExplained({ order }: World, effects: readonly Effect[]): void {
  const { payments, amountMinor } = order.state.context;
  const held = payments.filter(pays).reduce((total, payment) => total + heldOf(payment), 0);
  const state = stateName(order);
  if (state === 'captured' || amountMinor === 0) return;
  if (state === 'subscribed') expect(held, 'net while subscribed').toBeGreaterThan(0);
  const explained = state === 'subscribed' ? held <= amountMinor : held === 0;
  if (explained) return;
  const named = payments.filter(pays).some(payment => effects.some(effect => names(effect, payment.paymentId)));
  expect(named, `net ${held} while ${state}: an effect names the payment`).toBe(true);
}

const names = ({ effect, payload }: Effect, paymentId: string) =>
  (effect === 'alert' || effect === 'refund' || effect === 'open') && payload.paymentId === paymentId;

/** Money of another amount or currency is in our hands: a human must be looking at it, or the order is paid by other money. */
export function expectNoForgottenMoney({ order }: World): void {
  const settled = ['created', 'failed'].includes(stateName(order));
  if (settled) expect(order.state.context.payments.filter(holds), `money held while ${stateName(order)}`).toEqual([]);
}

const back = (list: PaymentRecord['refunds'], state: string) =>
  list.filter(entry => entry.state === state).reduce((total, entry) => total + entry.amountMinor, 0);
/** Counted here anew, so that the machine's own arithmetic is not its witness. */
const heldOf = (payment: PaymentRecord) =>
  Math.max(0, payment.amountMinor - back(payment.refunds, 'completed') - back(payment.disputes, 'lost'));
const holds = (payment: PaymentRecord) => payment.state === 'captured' && heldOf(payment) > 0;
const pays = (payment: PaymentRecord) => payment.state === 'captured' && payment.fits;

/** The books of an order as a set: without the order of arrival and without the instants heard. */
export function booksOf({ order, subscription }: World) {
  const sorted = (list: PaymentRecord['refunds']) =>
    list.map(({ asOf: _, ...entry }) => entry).sort((a, b) => a.id.localeCompare(b.id));
  return {
    state: stateName(order),
    payments: order.state.context.payments
      // What was asked for depends on which payment came second.
      .map(({ asOf: _, asked: __, ...payment }) => ({
        ...payment,
        refunds: sorted(payment.refunds),
        disputes: sorted(payment.disputes),
      }))
      .sort((a, b) => a.paymentId.localeCompare(b.paymentId)),
    fold: subscription.fold,
  };
}
