// The browser's way back from Stripe: only a session id, which proves nothing, so everything is asked for and compared.
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { systemRandom } from '../src/clock.ts';
import { BadSignature, InvalidRequest, PaylatchError, ProviderUnreachable } from '../src/errors.ts';
import { idsFrom } from '../src/ids.ts';
import type { IncomingCall, KnownOrder, OrderLookup, PaymentProvider } from '../src/providers/provider.ts';
import { createStripeProvider } from '../src/providers/stripe/adapter.ts';
import { callOf, SECRET } from './support/stripeFixtures.ts';
import { STRIPE_KEY, type StripeFake, startStripeFake } from './support/stripeServer.ts';

let fake: StripeFake;
let provider: PaymentProvider;
const newId = idsFrom(() => new Date(), systemRandom);
const known = new Map<string, KnownOrder>();
const orders: OrderLookup = {
  byId: async id => known.get(id) ?? null,
  byProviderOrderId: async id => [...known.values()].find(({ providerOrderId }) => providerOrderId === id) ?? null,
};

beforeAll(async () => {
  fake = await startStripeFake();
  const settings = { secretKey: STRIPE_KEY, webhookSecrets: [SECRET], apiUrl: fake.url, live: false };
  provider = createStripeProvider({ settings, clock: () => new Date(), jitter: () => 0 });
});
afterAll(() => fake.close());
beforeEach(() => {
  fake.calls.length = 0;
  fake.faults.length = 0;
});

async function opened(): Promise<{ orderId: string; sessionId: string }> {
  const orderId = newId('ord');
  const order = { orderId, userId: 'user-1', amountMinor: 1_999, currency: 'EUR' };
  const callbackUrl = 'https://shop.test/v1/callbacks/stripe';
  const { providerOrderId } = await provider.createCheckout({ ...order, planId: 'pro', callbackUrl });
  known.set(orderId, { ...order, providerOrderId, state: 'created' });
  fake.calls.length = 0;
  return { orderId, sessionId: providerOrderId };
}

const query = (fields: Record<string, string>): IncomingCall => ({
  ...callOf(new Uint8Array()),
  contentType: '',
  query: fields,
});
const json = (value: unknown) => callOf(Buffer.from(JSON.stringify(value)));
const form = (fields: Record<string, string>): IncomingCall => ({
  ...callOf(Buffer.from(new URLSearchParams(fields).toString())),
  contentType: 'application/x-www-form-urlencoded',
});
const back = (call: IncomingCall) => provider.parseCallback(call, orders);

describe('a callback', () => {
  it.each([
    ['a redirect', query],
    ['JSON', json],
    ['a form', form],
  ])('as %s asks Stripe, whose answer is the fact', async (_name, as) => {
    const { orderId, sessionId } = await opened();
    const intent = fake.state.pay(sessionId);
    expect(await back(as({ session_id: sessionId }))).toEqual({
      eventKey: `cb:${intent.id}:captured`,
      eventType: 'payment.captured',
      orderId,
      providerOrderId: sessionId,
      event: {
        type: 'payment.captured',
        paymentId: intent.id,
        amountMinor: 1_999,
        currency: 'EUR',
        live: false,
        occurredAt: expect.stringMatching(/Z$/),
      },
    });
    expect(fake.calls).toHaveLength(1);
  });

  it('of an authorisation is one', async () => {
    const { sessionId } = await opened();
    const intent = fake.state.pay(sessionId, 'authorized');
    expect(await back(query({ session_id: sessionId }))).toMatchObject({
      eventKey: `cb:${intent.id}:authorized`,
      event: { type: 'payment.authorized', paymentId: intent.id, amountMinor: 1_999 },
    });
  });

  it('of a bank debit under way waits, and tells later how it went', async () => {
    const { sessionId } = await opened();
    const intent = fake.state.pay(sessionId, 'processing');
    const call = query({ session_id: sessionId });
    expect(await back(call)).toMatchObject({ eventKey: `cb:${intent.id}:pending`, event: null, because: 'ignored' });
    fake.state.settle(intent.id, 'failed');
    expect(await back(call)).toMatchObject({ event: { type: 'payment.failed', reason: 'debit_not_authorized' } });
    fake.state.settle(intent.id, 'succeeded');
    expect(await back(call)).toMatchObject({
      eventKey: `cb:${intent.id}:captured`,
      event: { type: 'payment.captured' },
    });
  });

  it('from the way back of the page finds what was paid all the same', async () => {
    const { orderId, sessionId } = await opened();
    const call = query({ canceled: orderId });
    expect(await back(call)).toMatchObject({ orderId, event: null, because: 'ignored' });
    fake.state.pay(sessionId, 'declined');
    expect(await back(call)).toMatchObject({ orderId, event: { type: 'payment.failed' } });
    fake.state.pay(sessionId);
    expect(await back(call)).toMatchObject({ orderId, event: { type: 'payment.captured' } });
  });

  it('of a page that ran out cancels without naming a payment', async () => {
    const { orderId, sessionId } = await opened();
    fake.state.sessions.get(sessionId)!.status = 'expired';
    const heard = await back(query({ session_id: sessionId }));
    expect(heard).toMatchObject({ orderId, event: { type: 'payment.canceled' } });
    expect(heard.event).not.toHaveProperty('paymentId');
  });

  it('of a page that asked for no money brings none', async () => {
    const { sessionId } = await opened();
    Object.assign(fake.state.sessions.get(sessionId)!, { status: 'complete', payment_status: 'no_payment_required' });
    expect(await back(query({ session_id: sessionId }))).toMatchObject({ event: null, because: 'ignored' });
  });

  it('of another order than the session was opened for is refused', async () => {
    const { orderId, sessionId } = await opened();
    fake.state.pay(sessionId);
    fake.state.sessions.get(sessionId)!.client_reference_id = newId('ord');
    await expect(back(query({ session_id: sessionId }))).rejects.toThrow(BadSignature);
    await expect(back(query({ canceled: orderId }))).rejects.toThrow(BadSignature);
  });

  it('of another amount says so, for the machine to compare', async () => {
    const { sessionId } = await opened();
    Object.assign(fake.state.pay(sessionId), { amount: 1, amount_received: 1 });
    expect(await back(query({ session_id: sessionId }))).toMatchObject({ event: { amountMinor: 1 } });
  });

  it('while Stripe cannot be reached is unknown', async () => {
    const { sessionId } = await opened();
    fake.faults.push({ path: /sessions/, fault: 'drop' }, { path: /sessions/, fault: 'drop' });
    await expect(back(query({ session_id: sessionId }))).rejects.toThrow(ProviderUnreachable);
  });

  it.each([
    ['nothing', query({})],
    ['no order of ours', query({ canceled: 'ord_00000000000000000000000000' })],
    ['a session we never opened', query({ session_id: 'cs_test_stranger' })],
    ['a path', query({ session_id: 'cs_test_/../../payment_intents' })],
    ['the placeholder itself', query({ session_id: '{CHECKOUT_SESSION_ID}' })],
    ['a payment intent', query({ session_id: 'pi_3Fake' })],
    ['null', json(null)],
    ['no JSON', callOf(Buffer.from('{'))],
  ])('that names %s is refused without asking Stripe', async (_name, call) => {
    await expect(back(call)).rejects.toThrow(InvalidRequest);
    expect(fake.calls).toEqual([]);
  });

  it('of any kind throws nothing but our errors, and asks Stripe nothing', async () => {
    const text = fc.oneof(fc.string(), fc.json(), fc.constantFrom('cs_', 'cs_test_x', 'session_id=cs_1'));
    await fc.assert(
      fc.asyncProperty(
        text,
        text,
        fc.uint8Array(),
        fc.constantFrom('application/json', 'application/x-www-form-urlencoded', ''),
        async (id, other, body, contentType) => {
          for (const call of [
            query({ session_id: id, canceled: other }),
            { ...callOf(body), contentType },
            { ...callOf(Buffer.from(id)), contentType },
          ]) {
            const error = await back(call).catch(error => error);
            expect(error).toBeInstanceOf(PaylatchError);
          }
        },
      ),
    );
    expect(fake.calls).toEqual([]);
  });
});
