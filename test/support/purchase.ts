// One purchase at a running service, step by step and with what was acknowledged on the way, so that a test can cut it
// off anywhere, finish it the way merchant, sandbox and browser would, and see that it happened once.
import type postgres from 'postgres';
import { expect } from 'vitest';
import { expectSoundBooks } from './databaseChecks.ts';
import { until } from './embeddedProcesses.ts';
import {
  type Answer,
  callbackCall,
  checkoutCall,
  delivered,
  get,
  type Json,
  PLAN,
  type Sent,
  sandbox,
  send,
  webhookCall,
} from './serviceClient.ts';

let purchases = 0;

export class Purchase {
  readonly userId = `user-${process.pid}-${++purchases}`;
  readonly key = `cart-${this.userId}`;
  readonly webhookId = `evt_${this.userId}`;
  /** What a checkout was answered with. */
  orderId = '';
  providerOrderId = '';
  payUrl = '';
  paymentId = '';
  /** Keys of the events that were answered 2xx, with the verdict they were told. */
  readonly acknowledged = new Map<string, string | null>();

  /** Asks under the same key until it is answered, as merchants do; the order is the one answered before. */
  async checkOut(url: string): Promise<void> {
    let answer: Answer | null = null;
    await until(async () => {
      answer = await this.sendCheckout(url).answer;
      return answer?.status === 201;
    }, 'a checkout that is answered').catch(error => {
      throw new Error(`${error.message}: ${JSON.stringify(answer)}`);
    });
  }

  sendCheckout(url: string): Sent {
    const sent = send(checkoutCall(url, this.userId, this.key));
    void sent.answer.then(answer => {
      if (answer?.status !== 201) return;
      const { order, checkout } = answer.body;
      if (this.orderId) expect(order.id, 'the same key, the same order').toBe(this.orderId);
      this.orderId = order.id;
      this.providerOrderId = checkout.providerOrderId;
      this.payUrl = checkout.url;
    });
    return sent;
  }

  /** Pays at the sandbox, once however often it is called. Its own webhook is held back: the test sends one. */
  async pay(): Promise<void> {
    const path = `/orders/${this.providerOrderId}/scenarios/webhook-never`;
    const { payments } = await sandbox(this.payUrl, 'POST', path, this.key);
    this.paymentId = payments[0].paymentId;
  }

  sendWebhook(url: string): Sent {
    const { amountMinor, currency } = PLAN;
    const data = { providerOrderId: this.providerOrderId, paymentId: this.paymentId, amountMinor, currency };
    return this.sendEvent(url, this.webhookId, JSON.stringify({ type: 'payment.captured', data }));
  }

  sendEvent(url: string, webhookId: string, body: string): Sent {
    return this.noted(webhookId, send(webhookCall(url, webhookId, body)));
  }

  sendCallback(url: string): Sent {
    const { providerOrderId, paymentId } = this;
    return this.noted(`cb:${paymentId}:captured`, send(callbackCall(url, providerOrderId, paymentId)));
  }

  private noted(eventKey: string, sent: Sent): Sent {
    void sent.answer.then(answer => {
      if (answer?.status === 200) this.acknowledged.set(eventKey, answer.body.verdict ?? null);
    });
    return sent;
  }

  /** Whatever was cut off: the same checkout, the same payment, the same webhook and callback, and all of it again. */
  async finish(url: string): Promise<void> {
    await this.checkOut(url);
    await this.pay();
    for (const _round of ['delivered', 'delivered again']) {
      const answers = await Promise.all([() => this.sendWebhook(url), () => this.sendCallback(url)].map(delivered));
      for (const answer of answers) expect(answer, JSON.stringify(answer)).toMatchObject({ status: 200 });
    }
  }

  timeline = (url: string): Promise<Json> => get(url, `/v1/orders/${this.orderId}/timeline`);

  /** One order, one payment, one grant, one subscription, and everything that was acknowledged. */
  async expectOnce(url: string, sql: postgres.Sql, state = 'subscribed'): Promise<void> {
    const { order, transitions, received, payments, grant } = await this.timeline(url);
    expect(order).toMatchObject({ state, stuck: null, version: transitions.length });
    expect(transitions.map((t: Json) => t.type).filter((type: string) => type === 'grant.recorded')).toHaveLength(1);
    expect(grant).toMatchObject({ paymentId: this.paymentId, seq: 1 });
    expect(payments).toHaveLength(1);
    expect(payments[0]).toMatchObject({ paymentId: this.paymentId, capturedMinor: PLAN.amountMinor });
    const verdicts = new Map(received.map((entry: Json) => [entry.eventKey, entry.verdict]));
    expect([...verdicts.keys()], 'what was acknowledged is in the timeline').toEqual(
      expect.arrayContaining([...this.acknowledged.keys()]),
    );
    const paid = received.filter((entry: Json) => entry.type === 'payment.captured' && entry.verdict === 'applied');
    expect(paid, JSON.stringify(received)).toHaveLength(1);
    const { orders } = await get(url, `/v1/orders?userId=${this.userId}`);
    expect(orders.map((entry: Json) => entry.id)).toEqual([this.orderId]);
    const { subscriptions } = await get(url, `/v1/users/${this.userId}/subscriptions`);
    expect(subscriptions).toHaveLength(1);
    expect(subscriptions[0]).toMatchObject({ product: PLAN.product, grants: 1 });
    const access = await get(url, `/v1/users/${this.userId}/access?product=${PLAN.product}`);
    expect(access).toMatchObject({ access: state === 'subscribed' });
    expect(access.grants).toHaveLength(state === 'subscribed' ? 1 : 0);
    const atSandbox = await sandbox(this.payUrl, 'GET', `/orders?orderId=${this.orderId}`);
    expect(atSandbox.orders).toHaveLength(1);
    expect(atSandbox.orders[0].payments).toHaveLength(1);
    await expectSoundBooks(sql);
  }
}
