// How long the shop's page about one order goes on looking by itself.
import { expect, test } from 'vitest';
import type { AccessView, TimelineView } from '../src/ports.ts';
import { orderPage } from '../src/shop/orderPage.ts';

const UPDATED_AT = '2026-01-31T10:00:00.000Z';
const access: AccessView = {
  access: false,
  product: 'pro',
  until: null,
  graceUntil: null,
  reason: 'never_paid',
  grants: [],
};

async function refreshOf(state: string, afterS: number, stuck: TimelineView['order']['stuck'] = null) {
  const order = {
    id: 'ord_1',
    planId: 'pro-monthly',
    userId: 'ada',
    amountMinor: 100,
    currency: 'INR',
    updatedAt: UPDATED_AT,
  };
  const timeline = { order: { ...order, state, stuck }, transitions: [], received: [], payments: [] };
  const now = new Date(Date.parse(UPDATED_AT) + afterS * 1_000);
  const page = String(await orderPage(timeline as unknown as TimelineView, access, null, now));
  return /http-equiv="refresh" content="(\d+)"/.exec(page)?.[1] ?? null;
}

test('an order that waits is looked at every second, and seldom once it has waited for a minute', async () => {
  for (const state of ['created', 'authorized', 'captured']) {
    expect(await refreshOf(state, 1)).toBe('1');
    expect(await refreshOf(state, 61)).toBe('15');
  }
});

test('an order that has ended is looked at once more, for the webhook that was asked to be late, and then left alone', async () => {
  for (const state of ['subscribed', 'failed', 'refunded']) {
    expect(await refreshOf(state, 1)).toBe('7');
    expect(await refreshOf(state, 7)).toBeNull();
  }
  const stuck = { cause: 'parked' as const, since: UPDATED_AT, detail: null };
  expect(await refreshOf('parked', 1, stuck)).toBe('7');
  expect(await refreshOf('parked', 8, stuck)).toBeNull();
});
