// Bad input, line by line: each gets its 4xx with a code and a sentence, and not one row of any table changes.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { checkOut, PLAN, type Service, startService } from './support/httpService.ts';

let service: Service;
let orderId: string;
let before: string;
beforeAll(async () => {
  service = await startService();
  orderId = (await checkOut(service)).id;
});
afterAll(() => service.close());
beforeEach(async () => {
  before = await service.books();
});

type Refused = { status?: number; code?: string; says: string | RegExp };

async function expectRefused(
  [method, path]: [string, string],
  call: { body?: unknown; headers?: Record<string, string> },
  { status = 400, code = 'invalid_request', says }: Refused,
): Promise<void> {
  const answer = await service.call(method, path, call);
  expect([answer.status, answer.body?.code], answer.text).toEqual([status, code]);
  expect(answer.headers.get('content-type')).toBe('application/problem+json');
  expect(answer.body.detail).toMatch(says);
  expect(answer.body).toMatchObject({
    type: `urn:paylatch:problem:${code}`,
    title: expect.stringMatching(/\w/),
    status,
    requestId: answer.headers.get('x-request-id'),
  });
  expect(await service.books()).toBe(before);
}

describe('a checkout', () => {
  const good = { userId: 'ann', planId: 'pro-monthly', provider: 'sandbox' };
  const long = 'x'.repeat(129);
  const tooMany = Object.fromEntries(Array.from({ length: 21 }, (_, i) => [`k${i}`, 'v']));
  test.each<[string, unknown, string | RegExp]>([
    ['of an unknown plan', { ...good, planId: 'gold' }, /no plan gold/],
    ['with a plan id of the wrong shape', { ...good, planId: 'Pro!' }, 'planId must be'],
    ['with another provider', { ...good, provider: 'paypal' }, /no provider paypal/],
    ['with a provider named like a property', { ...good, provider: 'constructor' }, /no provider constructor/],
    ['without a user', { ...good, userId: undefined }, 'userId is required'],
    ['with an empty user id', { ...good, userId: '' }, 'userId must be'],
    ['with a user id that is too long', { ...good, userId: long }, 'userId must be'],
    ['with a user id with a space', { ...good, userId: 'a b' }, 'userId must be'],
    ['with a user id with a line break', { ...good, userId: 'a\n' }, 'userId must be'],
    ['with a user id with a slash', { ...good, userId: 'a/b' }, 'userId must be'],
    ['with a user id that is a number', { ...good, userId: 7 }, 'userId must be a string'],
    ['with a state', { ...good, state: 'subscribed' }, /unknown fields: state; legal are: userId, planId/],
    ['with a price', { ...good, amountMinor: 1 }, /unknown fields: amountMinor/],
    ['with a version', { ...good, version: 9 }, /unknown fields: version/],
    ['with another that is a word', { ...good, another: 'yes' }, 'another must be true or false'],
    ['with a relative return address', { ...good, returnUrl: '/thanks' }, 'returnUrl must be an absolute'],
    ['with a script as return address', { ...good, returnUrl: 'javascript:alert(1)' }, 'returnUrl must be'],
    ['with a password in the return address', { ...good, returnUrl: 'https://a:b@shop.test/' }, 'returnUrl must be'],
    ['with a tab in the return address', { ...good, returnUrl: 'https://shop.test/\tx' }, 'returnUrl must be'],
    ['with a return address too long', { ...good, returnUrl: `https://s.test/${'x'.repeat(2048)}` }, /at most 2048/],
    ['with metadata that is no string', { ...good, metadata: { a: 1 } }, 'metadata.a must be a string'],
    ['with nested metadata', { ...good, metadata: { a: { b: 'c' } } }, 'metadata.a must be a string'],
    ['with a metadata key of the wrong shape', { ...good, metadata: { 'a b': 'c' } }, /metadata.*has a key that must/],
    ['with too much metadata', { ...good, metadata: tooMany }, /at most 20 keys/],
    ['with metadata too long', { ...good, metadata: { a: 'x'.repeat(501) } }, /at most 500 characters/],
    ['that is a list', [good], 'must be an object'],
    ['that is null', 'null', 'must be an object'],
    ['that is a number', '7', 'must be an object'],
  ])('%s', async (_what, body, says) => {
    await expectRefused(['POST', '/v1/checkouts'], { body, headers: { 'idempotency-key': 'bad' } }, { says });
  });

  test.each<[string, Record<string, string>]>([
    ['missing', {}],
    ['empty', { 'idempotency-key': '' }],
    ['too long', { 'idempotency-key': 'x'.repeat(256) }],
    ['not ASCII', { 'idempotency-key': 'caf\u00e9' }],
  ])('whose Idempotency-Key is %s', async (_what, headers) => {
    await expectRefused(
      ['POST', '/v1/checkouts'],
      { body: good, headers },
      { says: /idempotency-key (is req|must be)/ },
    );
  });
});

describe('a plan', () => {
  test.each<[string, unknown, string | RegExp]>([
    ['with a negative amount', { ...PLAN, amountMinor: -1 }, 'amountMinor must be at least 1'],
    ['that costs nothing', { ...PLAN, amountMinor: 0 }, 'amountMinor must be at least 1'],
    ['with a fractional amount', { ...PLAN, amountMinor: 9.99 }, 'amountMinor must be a whole number'],
    ['with an amount as text', { ...PLAN, amountMinor: '100' }, 'amountMinor must be a number'],
    ['with too large an amount', { ...PLAN, amountMinor: 1e12 + 1 }, 'amountMinor must be at most 1000000000000'],
    [
      'with an amount no number can hold',
      { ...PLAN, amountMinor: 1e20 },
      /^amountMinor must be at most 1000000000000\.$/,
    ],
    ['with an amount far below zero', { ...PLAN, amountMinor: -1e20 }, /^amountMinor must be at least 1\.$/],
    ['with an endless amount', '{"amountMinor":1e999}', 'amountMinor must be'],
    ['with an unknown currency', { ...PLAN, currency: 'XQQ' }, 'currency must be an ISO 4217 code'],
    ['with a currency in small letters', { ...PLAN, currency: 'inr' }, 'currency must be an ISO 4217 code'],
    ['with both periods', { ...PLAN, period: { months: 1, days: 1 } }, 'period must be either'],
    ['with no period', { ...PLAN, period: {} }, 'period must be either'],
    ['of no months', { ...PLAN, period: { months: 0 } }, 'period.months must be at least 1'],
    ['of half a month', { ...PLAN, period: { months: 0.5 } }, 'period must be either'],
    ['of 121 months', { ...PLAN, period: { months: 121 } }, 'period.months must be at most 120'],
    ['of 3661 days', { ...PLAN, period: { days: 3661 } }, 'period.days must be at most 3660'],
    ['with negative grace', { ...PLAN, graceDays: -1 }, 'graceDays must be at least 0'],
    ['with 366 days of trial', { ...PLAN, trialDays: 366 }, 'trialDays must be at most 365'],
    ['with another surplus policy', { ...PLAN, surplusPolicy: 'keep' }, 'surplusPolicy must be "refund" or "extend"'],
    ['with a product of the wrong shape', { ...PLAN, product: '-pro' }, 'product must be'],
    ['with an unknown field', { ...PLAN, price: 1 }, /unknown fields: price; legal are: product, amountMinor/],
  ])('%s', async (_what, body, says) => {
    await expectRefused(['PUT', '/v1/plans/pro-monthly'], { body }, { says });
  });

  test.each(['Pro', 'a'.repeat(65), '-a', 'a%20b', 'a%2Fb', '%00'])('named %s', async id => {
    await expectRefused(['PUT', `/v1/plans/${id}`], { body: PLAN }, { says: 'id must be 1 to 64' });
  });
});

test.each([
  ['yesterday', /^since must be an instant such as [\dTZ:.-]+\.$/],
  ['0001-01-01T00:00:00Z', /^since must lie between the years 1970 and 9999\.$/],
])('a list read again since %s is refused with one sentence', async (since, says) => {
  const body = { since, reason: 'a test' };
  await expectRefused(['POST', '/v1/reconciliation/sandbox'], { body }, { says });
});

describe('an event', () => {
  const fact = { type: 'payment.captured', paymentId: 'p', amountMinor: 49_900, currency: 'INR' };
  test.each([
    'xstate.stop',
    'xstate.init',
    'xstate.error.actor.x',
    'xstate.after.window.order.v1.created',
    'xstate.done.state.order.v1',
    '*',
    '',
    'order.created',
    'order.closed',
    'checkout.opened',
    'checkout.refused',
    'grant.recorded',
    'deadline.passed',
    'Payment.captured',
    '__proto__',
    'toString',
  ])('of the forged type "%s"', async type => {
    const body = { ...fact, type, reason: 'x', providerOrderId: 'sbo_x', deadline: 'window', setAtVersion: 1 };
    await expectRefused(
      ['POST', `/v1/orders/${orderId}/events`],
      { body },
      { says: /type must be one of payment\.auth/ },
    );
    const dry = ['POST', `/v1/orders/${orderId}/events?dryRun=true`] as [string, string];
    await expectRefused(dry, { body }, { says: /type must be one of/ });
  });

  test.each<[string, unknown, string | RegExp]>([
    ['without a type', { reason: 'x' }, 'type must be one of'],
    ['whose type is a list', { ...fact, type: ['payment.captured'] }, 'type must be one of'],
    ['that stamps itself', { ...fact, at: '2026-01-01T00:00:00.000Z' }, /unknown fields: at/],
    ['that names its owner', { ...fact, ownedBy: 'ord_00000000000000000000000000' }, /unknown fields: ownedBy/],
    ['that brings dead effects', { type: 'retry.requested', reason: 'x', dead: [] }, /unknown fields: dead/],
    ['with a negative amount', { ...fact, amountMinor: -49_900 }, 'amountMinor must be at least 1'],
    ['with a fractional amount', { ...fact, amountMinor: 1.5 }, 'amountMinor must be a whole number'],
    ['with an unknown currency', { ...fact, currency: 'rupees' }, 'currency must be an ISO 4217 code'],
    ['with a payment id that is not ASCII', { ...fact, paymentId: 'zahl\u00fcng' }, 'paymentId must be 1 to 255'],
    ['with a time that is none', { ...fact, occurredAt: 'yesterday' }, 'occurredAt must be an instant'],
    [
      'with a refund state we do not know',
      { ...fact, type: 'refund.updated', state: 'maybe' },
      /state must be "pending"/,
    ],
    ['without a reason', { type: 'cancel.requested' }, 'reason is required'],
    ['with a blank reason', { type: 'cancel.requested', reason: '  ' }, 'reason must have at least 1'],
    ['with too long a reason', { type: 'cancel.requested', reason: 'x'.repeat(501) }, 'reason must have at most 500'],
  ])('%s', async (_what, body, says) => {
    await expectRefused(['POST', `/v1/orders/${orderId}/events`], { body }, { says });
  });

  test('with a header or query nobody can read', async () => {
    const path = `/v1/orders/${orderId}/events`;
    const headers = { 'if-match': '"one"' };
    await expectRefused(['POST', path], { body: fact, headers }, { says: 'if-match must be one ETag' });
    await expectRefused(['POST', path], { body: fact, headers: { 'if-match': '"1", "2"' } }, { says: 'if-match' });
    await expectRefused(
      ['POST', path],
      { body: fact, headers: { 'idempotency-key': '' } },
      { says: 'idempotency-key' },
    );
    await expectRefused(['POST', `${path}?dryRun=1`], { body: fact }, { says: 'dryRun must be "true" or "false"' });
    await expectRefused(['POST', `${path}?dryrun=true`], { body: fact }, { says: /unknown fields: dryrun/ });
    await expectRefused(['POST', `${path}?dryRun=true&dryRun=false`], { body: fact }, { says: 'dryRun must be' });
    for (const call of ['cancel', 'refund', 'retry']) {
      const query = ['POST', `/v1/orders/${orderId}/${call}?dry=true`] as [string, string];
      await expectRefused(query, { body: { reason: 'x' } }, { says: /unknown fields: dry/ });
      const path = ['POST', `/v1/orders/${orderId}/${call}`] as [string, string];
      await expectRefused(path, { body: {} }, { says: 'reason is required' });
      await expectRefused(path, { body: { reason: 'x', type: 'payment.captured' } }, { says: /unknown fields: type/ });
    }
  });
});

describe('a query', () => {
  test.each<[string, string | RegExp]>([
    ['/v1/orders?state=paid', 'state must be "created" or'],
    ['/v1/orders?stuck=false', 'stuck must be "true"'],
    ['/v1/orders?cause=bored', 'cause must be "deadline_passed" or'],
    ['/v1/orders?userId=a%20b', 'userId must be'],
    ["/v1/orders?provider='--", 'provider must be'],
    ['/v1/orders?cursor=1', 'cursor must be the nextCursor'],
    ['/v1/orders?limit=0', 'limit must be at least 1'],
    ['/v1/orders?limit=201', 'limit must be at most 200'],
    ['/v1/orders?limit=ten', 'limit must be'],
    ['/v1/orders?limit=1.5', 'limit must be a whole number'],
    ['/v1/orders?limit=1&limit=2', 'limit must be'],
    ['/v1/orders?sort=id', /unknown fields: sort; legal are: state/],
    ['/v1/orders?__proto__=1', /unknown fields|query/],
    ['/v1/users/a%20b/access?product=pro', 'userId must be'],
    ['/v1/users/%00/subscriptions', 'userId must be'],
    ['/v1/users/ann/access', 'product is required'],
    ['/v1/users/ann/access?product=PRO', 'product must be'],
    ['/v1/users/ann/access?product=pro&at=now', 'at must be an instant'],
    ['/v1/users/ann/access?product=pro&at=2026-02-30T00:00:00Z', 'at must be an instant'],
    ['/v1/users/ann/access?product=pro&at=2026-01-01', 'at must be an instant'],
    ['/v1/users/ann/access?product=pro&at=0000-01-01T00:00:00Z', 'at must lie between'],
    ['/v1/users/ann/access?product=pro&at=9999-12-31T23:59:59-23:00', 'at must lie between'],
    ['/v1/plans?limit=1', /unknown fields: limit/],
  ])('%s', async (path, says) => {
    await expectRefused(['GET', path], {}, { says });
  });
});

/** Every call that takes JSON, with a body it would accept. */
const calls = (): [string, string, Record<string, unknown>][] => [
  ['POST', '/v1/checkouts', { userId: 'ann', planId: 'pro-monthly', provider: 'sandbox' }],
  ['PUT', '/v1/plans/pro-monthly', PLAN],
  ['POST', `/v1/orders/${orderId}/events`, { type: 'cancel.requested', reason: 'x' }],
  ['POST', `/v1/orders/${orderId}/cancel`, { reason: 'x' }],
  ['POST', `/v1/orders/${orderId}/refund`, { reason: 'x' }],
  ['POST', `/v1/orders/${orderId}/retry`, { reason: 'x' }],
  ['POST', '/v1/retry?cause=parked', { reason: 'x' }],
];

describe('a JSON body, on every call that takes one', () => {
  const headers = { 'idempotency-key': 'bad' };
  test.each<[string, (good: string) => string | Uint8Array, Refused]>([
    ['that is broken', good => good.slice(0, -1), { says: 'not JSON' }],
    ['with a comma too many', good => good.replace(/}$/, ',}'), { says: 'not JSON' }],
    ['that is empty', () => new Uint8Array(), { says: 'not JSON' }],
    ['that is not UTF-8', good => Buffer.from(good.replace('":', '\u00e9":'), 'latin1'), { says: 'not UTF-8' }],
    ['with a prototype', good => good.replace('{', '{"__proto__":{"admin":true},'), { says: 'named __proto__' }],
    ['with a constructor', good => good.replace('{', '{"constructor":{},'), { says: 'named constructor' }],
    ['with a prototype deep inside', good => good.replace('{', '{"a":[{"prototype":1}],'), { says: 'named prototype' }],
    ['with a NUL', good => good.replace('{', '{"a":"\\u0000",'), { says: 'NUL' }],
    ['with a NUL in a name', good => good.replace('{', '{"a\\u0000":1,'), { says: 'NUL' }],
    ['with half a surrogate pair', good => good.replace('{', '{"a":"\\ud800",'), { says: 'surrogate' }],
    ['33 levels deep', good => good.replace('{', `{"a":${'['.repeat(33)}${']'.repeat(33)},`), { says: /32 levels/ }],
    ['of 8,000 brackets', () => '['.repeat(8_000), { says: 'not JSON' }],
    ['8,000 levels deep', () => '['.repeat(8_000) + ']'.repeat(8_000), { says: /32 levels/ }],
    [
      'over 16 KiB',
      good => good.replace('{', `{"a":"${'x'.repeat(16_384)}",`),
      { status: 413, code: 'body_too_large', says: '16 KiB' },
    ],
  ])('%s', async (_what, spoil, refused) => {
    for (const [method, path, good] of calls()) {
      const body = spoil(JSON.stringify(good));
      await expectRefused([method, path], { body, headers }, refused);
    }
    expect(({} as { admin?: boolean }).admin).toBeUndefined();
  });

  test.each([
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/jsonx',
  ])('sent as %s', async type => {
    const refused = { status: 415, code: 'unsupported_media_type', says: 'application/json' };
    for (const [method, path, body] of calls()) {
      await expectRefused([method, path], { body, headers: { ...headers, 'content-type': type } }, refused);
    }
  });
});
