// What customers, merchants and operators do meanwhile: buy, reserve money, ask for some of it back, retry what is dead.
// Whoever is not answered asks again under the same key, at any replica, as browsers and providers do.
import { setTimeout as sleep } from 'node:timers/promises';
import { sandboxApiKey } from '../../src/providers/sandbox/keys.ts';
import { decodeSecret, signStandardWebhook } from '../../src/providers/signatures.ts';
import type { Replica } from './replicas.ts';

export const KEYS = {
  API_KEY: 'api_chaos_0123456789abcdef0123456789',
  ADMIN_KEY: 'admin_chaos_0123456789abcdef01234567',
  SANDBOX_WEBHOOK_SECRET: `whsec_${Buffer.alloc(32, 3).toString('base64')}`,
};
export const PRICE = { amountMinor: 49_900, currency: 'INR' };
const SECRET = decodeSecret(KEYS.SANDBOX_WEBHOOK_SECRET);
/** Longest time without an answer before somebody must look, in real ms. */
const GIVE_UP_MS = 300_000;
const CALL_LIMIT_MS = 10_000;
/** Checkouts a customer begins at most: on a busy machine the run's fast clock ends the payment window of several. */
const MOST_CARTS = 10;
/** First and longest pause before the same is asked again, in real ms; each is drawn up to twice as long. */
const PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 2_000;

/** A 4xx: asking the same again would not help. */
class Refused extends Error {}

// biome-ignore lint/suspicious/noExplicitAny: answers of the API under test
export type Json = any;
export type Purchase = { userId: string; orderId: string; providerOrderId: string; paymentId: string };
type Call = { path: string; body: string; headers: Record<string, string> };

const atSandbox = (key: string) => ({ authorization: `Bearer ${sandboxApiKey(SECRET)}`, 'idempotency-key': key });

/** The sandbox tells nobody anything from now on. */
export async function pauseWebhooks(sandboxUrl: string): Promise<void> {
  await fetch(`${sandboxUrl}/api/webhooks/pause`, { method: 'POST', headers: atSandbox('pause') });
}

export type Customers = {
  /** Checks out, reserves the money at the provider and lets the provider tell of it. */
  buy(userId: string): Promise<Purchase>;
  /** All of it without an amount. */
  refund(purchase: Purchase, amountMinor?: number): Promise<void>;
  /** The operator's bulk retry of dead effects, all pages. */
  retryDead(): Promise<void>;
  /** Ids of the orders that are stuck. */
  stuck(): Promise<string[]>;
  /** Calls that somebody waits for, each with what was said last. */
  unanswered(): string[];
  /** Calls that had to be made again because nobody, or only a 5xx, answered. */
  repeated(): number;
  /** Checkouts that nobody answered before the payment window was over; each began anew with another order. */
  expired(): number;
};

type Deps = {
  replicas: readonly Replica[];
  sandboxUrl: string;
  nowMs: () => number;
  random: () => number;
  /** Aborted when nobody is interested any more. */
  over: AbortSignal;
};

export function createCustomers({ replicas, sandboxUrl, nowMs, random, over }: Deps): Customers {
  let repeated = 0;
  let expired = 0;
  const waiting = new Map<symbol, string>();

  async function untilAnswered(method: string, make: () => Call): Promise<Json> {
    const own = Symbol();
    const waitFor = (call: string) => waiting.set(own, call);
    return repeat(method, make, waitFor).finally(() => waiting.delete(own));
  }

  /** Signed or stamped afresh for each try. */
  async function repeat(method: string, make: () => Call, waitFor: (call: string) => void): Promise<Json> {
    const giveUp = performance.now() + GIVE_UP_MS;
    let pauseMs = PAUSE_MS;
    for (let said = 'nobody answered'; ; repeated++) {
      const up = replicas.filter(({ url }) => url !== null);
      const url = up[Math.floor(random() * up.length)]?.url;
      const call = make();
      const { path, headers } = call;
      waitFor(`${method} ${path}: ${said}`);
      const signal = AbortSignal.timeout(CALL_LIMIT_MS);
      const body = method === 'GET' ? {} : { body: call.body };
      const answer = url && (await fetch(url + path, { method, headers, signal, ...body }).catch(() => null));
      if (answer) {
        const text = await answer.text().catch(() => null);
        if (answer.ok && text !== null) return JSON.parse(text);
        said = `${answer.status} ${text}`;
        // A wrong signature is one that took longer than its tolerance to arrive: the clock is fast.
        if (answer.status < 500 && answer.status !== 401) throw new Refused(`${method} ${path} was answered ${said}`);
      }
      await sleep(pauseMs * (1 + random()));
      over.throwIfAborted();
      pauseMs = Math.min(LONGEST_PAUSE_MS, pauseMs * 1.5);
      if (performance.now() >= giveUp) throw new Error(`${method} ${path} was never answered: ${said}`);
    }
  }

  const asOperator = (path: string, key: string, body: unknown): Call => ({
    path,
    body: JSON.stringify(body),
    headers: {
      authorization: `Bearer ${KEYS.ADMIN_KEY}`,
      'content-type': 'application/json',
      'idempotency-key': key,
    },
  });

  function authorizedWebhook({ userId, providerOrderId, paymentId }: Purchase): Call {
    const body = JSON.stringify({ type: 'payment.authorized', data: { providerOrderId, paymentId, ...PRICE } });
    const signed = signStandardWebhook(SECRET, `evt_${userId}`, Math.floor(nowMs() / 1_000), Buffer.from(body));
    return { path: '/v1/webhooks/sandbox', body, headers: { 'content-type': 'application/json', ...signed } };
  }

  /** At the provider itself, where the network is well: a customer on the pay page. */
  async function reserve(providerOrderId: string): Promise<string> {
    const url = `${sandboxUrl}/api/orders/${providerOrderId}/scenarios/authorize-only`;
    const answer = await fetch(url, { method: 'POST', headers: atSandbox(providerOrderId) });
    const { payments } = (await answer.json()) as Json;
    return payments[0].paymentId;
  }

  return {
    async buy(userId) {
      const wanted = { userId, planId: 'pro-monthly', provider: 'sandbox' };
      const checkOut = (key: string) => untilAnswered('POST', () => asOperator('/v1/checkouts', key, wanted));
      // Not opened before its payment window was over: the customer begins anew, as the answer says.
      const beginAnew = async (cart: number): Promise<Json> =>
        checkOut(`cart-${userId}-${cart}`).catch(error => {
          if (!(error instanceof Refused) || cart >= MOST_CARTS) throw error;
          expired += 1;
          return beginAnew(cart + 1);
        });
      const opened = await beginAnew(1);
      const { providerOrderId } = opened.checkout;
      const paymentId = await reserve(providerOrderId);
      const purchase = { userId, orderId: opened.order.id, providerOrderId, paymentId };
      await untilAnswered('POST', () => authorizedWebhook(purchase));
      return purchase;
    },
    async refund({ orderId, userId }, amountMinor) {
      const body = { reason: 'the customer asked', ...(amountMinor !== undefined && { amountMinor }) };
      await untilAnswered('POST', () => asOperator(`/v1/orders/${orderId}/refund`, `refund-${userId}`, body));
    },
    async retryDead() {
      for (let cursor: string | null = ''; cursor !== null; ) {
        const path: string = `/v1/retry?cause=effect_dead&limit=100${cursor && `&cursor=${cursor}`}`;
        const reason = { reason: 'the provider is well again' };
        const key = `operator-${Math.floor(random() * 2 ** 31)}`;
        cursor = (await untilAnswered('POST', () => asOperator(path, key, reason))).nextCursor;
      }
    },
    async stuck() {
      const { orders } = await untilAnswered('GET', () => asOperator('/v1/orders?stuck=true&limit=200', 'look', null));
      return orders.map(({ id }: { id: string }) => id);
    },
    unanswered: () => [...waiting.values()],
    repeated: () => repeated,
    expired: () => expired,
  };
}
