// Sends the sandbox's webhooks until somebody answers 2xx. What is still to be sent stands in the orders themselves, so
// a restart goes on where the last life ended.
import { EventEmitter, setMaxListeners } from 'node:events';
import type { RandomSource } from '../../clock.ts';
import type { SandboxTiming } from './serverContext.ts';
import type { SandboxDelivery, SandboxOrder } from './serverState.ts';
import type { SandboxStore } from './serverStore.ts';
import { callWebhook, isAccepted, type WebhookTarget } from './serverWebhookCall.ts';

/** Attempts before a webhook is given up: with the pauses doubling up to ten minutes about three hours. */
export const MAX_ATTEMPTS = 30;
/** Webhooks on their way at the same time: enough to race, too few to flood the service after it was down. */
const MAX_IN_FLIGHT = 32;
/** Longest sleep, in milliseconds: a clock that was set forward is noticed within it. */
const MAX_SLEEP_MS = 60_000;

/** What the server says about its deliveries; a pino logger fits. */
export type SandboxLog = { info(fields: object, message: string): void; warn(fields: object, message: string): void };

export type SandboxDeliveriesOptions = WebhookTarget & {
  store: SandboxStore;
  random: RandomSource;
  timing: SandboxTiming;
  log: SandboxLog;
};

type Waiting = { order: SandboxOrder; delivery: SandboxDelivery };

/** The sender of webhooks. Attempts run side by side, one at a time per webhook. */
export class SandboxDeliveries {
  private readonly options: SandboxDeliveriesOptions;
  private readonly pending = new Map<string, Waiting>();
  private readonly inFlight = new Map<string, Promise<void>>();
  private readonly accepted = new EventEmitter().setMaxListeners(0);
  private readonly closing = new AbortController();
  private timer: NodeJS.Timeout | undefined;
  private paused = false;

  constructor(options: SandboxDeliveriesOptions) {
    this.options = options;
    // Each attempt under way and each page that waits for one listens, and leaves when it ends: many at once are no leak.
    setMaxListeners(0, this.closing.signal);
  }

  /** Takes up what the store holds from an earlier life. */
  start(): void {
    for (const order of this.options.store.all()) this.take(order);
  }

  /** Looks at an order's webhooks and sends what is due. */
  take(order: SandboxOrder): void {
    for (const delivery of order.deliveries) {
      if (delivery.status === 'pending') this.pending.set(delivery.webhookId, { order, delivery });
    }
    this.pump();
  }

  /** Holds everything back until `resume`; `flush` and `deliver` send all the same. A restart resumes. */
  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
    this.pump();
  }

  isPaused(): boolean {
    return this.paused;
  }

  /** Sends this webhook now, whatever its status; resolves when what came of it is recorded. */
  deliver(order: SandboxOrder, delivery: SandboxDelivery): Promise<void> {
    const running = this.inFlight.get(delivery.webhookId);
    if (running !== undefined) return running;
    const attempt = this.attempt(order, delivery)
      .catch((error: unknown) => {
        // Without a disk nothing can be recorded, and an unrecorded attempt would be repeated without a pause.
        this.paused = true;
        this.options.log.warn({ err: error }, 'the sandbox cannot write its journal; its webhooks stop');
      })
      .finally(() => {
        this.inFlight.delete(delivery.webhookId);
        this.pump();
      });
    this.inFlight.set(delivery.webhookId, attempt);
    return attempt;
  }

  /** Sends everything pending now, one after the other in the order of the facts, and answers what was sent. */
  async flush(): Promise<SandboxDelivery[]> {
    const due = [...this.pending.values()];
    for (const { order, delivery } of due) {
      // A webhook that comes twice is still pending after its first success.
      do await this.deliver(order, delivery);
      while (delivery.status === 'pending' && isAccepted(delivery.lastAnswer) && !this.closing.signal.aborted);
    }
    return due.map(({ delivery }) => delivery);
  }

  /** Resolves when the webhook was accepted, or after `waitMs`; at once while webhooks are held back. */
  answered(delivery: SandboxDelivery, waitMs: number): Promise<void> {
    if (this.paused || isAccepted(delivery.lastAnswer)) return Promise.resolve();
    return new Promise(resolve => {
      const done = () => {
        clearTimeout(limit);
        this.accepted.off(delivery.webhookId, done);
        this.closing.signal.removeEventListener('abort', done);
        resolve();
      };
      const limit = setTimeout(done, waitMs);
      this.accepted.once(delivery.webhookId, done);
      this.closing.signal.addEventListener('abort', done);
    });
  }

  /** Stops sending. Attempts cut short are not recorded: the next life repeats them under the same id. */
  async close(): Promise<void> {
    this.closing.abort();
    clearTimeout(this.timer);
    await Promise.all(this.inFlight.values());
  }

  private pump(): void {
    clearTimeout(this.timer);
    if (this.paused || this.closing.signal.aborted) return;
    const now = this.options.clock().getTime();
    let sleepMs = MAX_SLEEP_MS;
    for (const { order, delivery } of [...this.pending.values()]) {
      if (this.inFlight.size >= MAX_IN_FLIGHT) return; // whichever ends first pumps again
      if (this.inFlight.has(delivery.webhookId) || !isItsTurn(order, delivery)) continue;
      const waitMs = new Date(delivery.nextAttemptAt).getTime() - now;
      if (waitMs > 0) sleepMs = Math.min(sleepMs, waitMs);
      else void this.deliver(order, delivery);
    }
    if (this.pending.size > 0) this.timer = setTimeout(() => this.pump(), sleepMs).unref();
  }

  private async attempt(order: SandboxOrder, delivery: SandboxDelivery): Promise<void> {
    const { store, log } = this.options;
    // The fact is on disk before anybody hears of it.
    await store.flushed();
    const answer = await callWebhook(this.options, delivery, this.closing.signal);
    if (answer === null) return;
    this.record(delivery, answer);
    store.put(order);
    if (delivery.status !== 'pending') this.pending.delete(delivery.webhookId);
    const { webhookId, type, attempts } = delivery;
    if (isAccepted(answer)) this.accepted.emit(webhookId);
    else log.warn({ webhookId, type, answer, attempts }, 'a sandbox webhook was not accepted');
  }

  private record(delivery: SandboxDelivery, answer: string): void {
    const now = this.options.clock().getTime();
    delivery.attempts += 1;
    delivery.lastAnswer = answer;
    if (isAccepted(answer) && delivery.status === 'pending' && delivery.repeats > 0) {
      delivery.repeats -= 1;
      delivery.nextAttemptAt = new Date(now).toISOString();
    } else if (isAccepted(answer)) {
      delivery.status = 'delivered';
    } else if (delivery.status === 'pending' && delivery.attempts >= MAX_ATTEMPTS) {
      delivery.status = 'dead';
    } else {
      delivery.nextAttemptAt = new Date(now + this.backoffMs(delivery.attempts)).toISOString();
    }
  }

  /** Doubling pauses, each shortened at random by up to a half, so that what failed together does not return together. */
  private backoffMs(attempts: number): number {
    const { retryBaseMs, retryMaxMs } = this.options.timing;
    const full = Math.min(retryMaxMs, retryBaseMs * 2 ** (attempts - 1));
    const share = Buffer.from(this.options.random(4)).readUInt32BE() / 2 ** 32;
    return Math.ceil(full * (1 - share / 2));
  }
}

/** A webhook that tells the next part of a story waits until the part before it was tried. */
function isItsTurn(order: SandboxOrder, delivery: SandboxDelivery): boolean {
  const before = order.deliveries.find(candidate => candidate.webhookId === delivery.after);
  return before === undefined || before.attempts > 0;
}
