// An alert says at 3 a.m. what happened, with which money, to whom, and what to do now.
import { describe, expect, test } from 'vitest';
import { type AlertAbout, alertText } from '../src/notifications/alertText.ts';

const ID = 'ord_06c7qfdzx8m2k4r9t0v1w3y5ab';
const order = {
  id: ID,
  userId: 'ada',
  planId: 'pro-monthly',
  provider: 'razorpay',
  amountMinor: 49_900,
  currency: 'INR',
  state: 'parked',
};
const say = (payload: Record<string, unknown>, more: Partial<AlertAbout> = {}) =>
  alertText({ payload, orderId: ID, order, publicUrl: 'https://pay.test', ...more });

test('a whole one reads aloud', () => {
  expect(
    say({ cause: 'mismatch', paymentId: 'pay_1', amountMinor: 39_900, currency: 'INR', eventType: 'payment.captured' }),
  ).toBe(
    `A payment is not what its order costs. Payment pay_1: ₹399.00. Order ${ID} of ada (pro-monthly, ₹499.00 at razorpay) is parked. ` +
      `Compare it with the provider, then refund it there or with POST /v1/orders/${ID}/refund. https://pay.test/v1/orders/${ID}/timeline`,
  );
});

const CAUSES: [cause: string, says: RegExp, todo: RegExp][] = [
  ['mismatch', /not what its order costs/, /refund/],
  ['surplus', /paid twice/, /timeline/],
  ['capture_late', /reserved for a day/, /\/retry/],
  ['surplus_held', /held until you decide/, /\/refund/],
  ['dispute', /disputes a payment/, /before its time is over/],
  ['unanswered', /Nobody can say/, /\/retry/],
  ['grant_overdue', /paid and has no access/, /\/retry/],
  ['refund_failed', /does not have the money back/, /refund again/],
  ['renewed_after_cancel', /charged to renew what they had cancelled/, /Stop the subscription/],
  ['unmatched_event', /belongs to no order we know/, /provider’s pages/],
  ['payment_without_order', /an order we do not have/, /refund it there/],
  ['payment_not_counted', /its order does not count/, /Compare/],
  ['payment_not_at_provider', /its provider does not have/, /Compare/],
  ['chart_unknown', /chart that this release does not know/, /Run the release/],
  ['snapshot_unreadable', /cannot be read/, /goes on by itself/],
  ['webhook_undecodable', /cannot be understood/, /\/v1\/events\?verdict=parked/],
  ['listing_late', /listed to the end for a day/, /tried again by itself/],
  ['disputes_not_listed', /disputes to us/, /tried again by itself/],
  ['refunds_not_listed', /refunds to us/, /tried again by itself/],
  ['event_key_reused', /another body/, /secret/],
  ['deadline_refused', /stand still/, /tried again by itself/],
  ['event_refused', /cannot be decided/, /tried again by itself/],
  ['endpoint_disabled', /410 Gone/, /PATCH \/v1\/endpoints\/ept_1/],
];

describe.each(CAUSES)('%s', (cause, says, todo) => {
  test('has words of its own, and says what to do', () => {
    const text = say({ cause, endpointId: 'ept_1' });
    expect(text).toMatch(says);
    expect(text).toMatch(todo);
    expect(text).not.toContain(cause.includes('_') ? cause : '{');
    expect(text).not.toMatch(/undefined|null|\{|\[object|\.\.|NaN/);
  });
});

test.each(['open', 'close', 'capture', 'void', 'refund', 'reconcile', 'notify', 'something_new'])(
  'a dead effect %s says what was not done, and the last error',
  effect => {
    const text = say({ cause: 'effect_dead', effect, error: 'Razorpay answered 500' });
    expect(text).toMatch(/^[A-Z][^.]* did not work and is not tried any more\. Razorpay answered 500\. /);
    expect(text).toContain(`POST /v1/orders/${ID}/retry`);
  },
);

test('many that died read as one, with how many, one of them, and what mends them all', () => {
  const more = { cause: 'effects_dead', effect: 'capture', provider: 'razorpay', error: 'Razorpay answered 401' };
  const text = say({ ...more, count: 199 });
  expect(text).toBe(
    '199 times more within an hour: Capturing a reserved payment did not work and is not tried any more, for orders at razorpay. ' +
      `Razorpay answered 401. One of them: order ${ID} of ada (pro-monthly, ₹499.00 at razorpay) is parked. ` +
      `Remove the cause, then POST /v1/retry?cause=effect_dead, page by page. https://pay.test/v1/orders/${ID}/timeline`,
  );
  expect(say({ ...more, count: 1 })).toMatch(/^Once more within an hour: /);
});

test('a cause nobody has thought of still reads well', () => {
  const text = say({ cause: 'moon_in_the_wrong_phase', detail: 'it is full' });
  expect(text).toMatch(/^Something needs a look \(moon in the wrong phase\)\. It is full\. /);
  expect(text).toContain(`https://pay.test/v1/orders/${ID}/timeline`);
  expect(say({})).toMatch(/^Something needs a look/);
});

test('one without an order, or about an order that is not there, says only what is known', () => {
  const text = say({ cause: 'unmatched_event', detail: 'x' }, { orderId: null, order: null });
  expect(text).not.toMatch(/Order |https:|null/);
  expect(say({ cause: 'surplus' }, { order: null })).toContain(`Order ${ID}. `);
});

test('each currency has its own decimals, and one that is none is told as it came', () => {
  const money = (currency: string) => say({ cause: 'surplus', paymentId: 'p', amountMinor: 12_345, currency });
  expect(money('JPY')).toContain('¥12,345.');
  expect(money('KWD')).toMatch(/KWD\s12\.345/);
  expect(money('coins')).toContain('12345 coins');
});

test('what others wrote can neither break out of its line, nor mention anybody, nor grow without end', () => {
  const text = say({
    cause: 'dispute',
    detail: `<!channel>\n<https://evil.test|here> & ${'x'.repeat(5_000)}\u0000\ud800`,
  });
  expect(text).not.toMatch(/[<>\p{Cc}]/u);
  expect(text).toContain('&lt;!channel&gt; &lt;https://evil.test|here&gt; &amp; xxx');
  expect(text.length).toBeLessThan(1_000);
  expect(text.isWellFormed()).toBe(true);
});
