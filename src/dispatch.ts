// Everyone sends events; only dispatch decides. Callback, webhook, merchant, operator, retry and sweeper call this one
// function. A few lanes take what waits when they are free: idle, one event goes at once; busy, up to a batch go together.
import type { Logger } from 'pino';
import type { Database } from '../db/client.ts';
import type { Clock, RandomSource } from './clock.ts';
import { BatchRunner } from './dispatch/batch.ts';
import type { Envelope, Item, Outcome } from './dispatch/envelope.ts';
import { createMailboxes } from './dispatch/mailboxes.ts';
import { Overloaded } from './errors.ts';
import type { NewId } from './ids.ts';

/**
 * Batches under way at the same time: one is in the database while the other is decided. More lanes would only make
 * smaller batches.
 */
const LANES = 2;
/** Most events in one batch: larger statements are no faster, and an event that cannot be written delays more others. */
const BATCH_SIZE = 200;
/**
 * Events that may wait before new ones are refused: about a second of work, so that whoever is let in is answered in
 * time.
 */
const QUEUE_LIMIT = 5_000;
/**
 * How long an event is decided again while its order is changed or held by others, in ms. A time and not a number of tries,
 * because how long a lock is held does not depend on how often one looks.
 */
const CONFLICT_BUDGET_MS = 2_000;
/** First pause before an event is decided again, in ms: a commit takes about that long. It grows with the time waited. */
const CONFLICT_PAUSE_MS = 4;
/** Longest such pause, in ms: a lock that lasts is noticed soon after it ends. Both are spread at random by half. */
const CONFLICT_PAUSE_MAX_MS = 60;

/**
 * Decides and commits one event. Resolves when the verdict is durable.
 * @throws Overloaded when too much waits or the order stays held; DatabaseUnavailable; NotFound; PaylatchError
 *   version_conflict, idempotency_key_reused, illegal_event for an unreadable order
 */
export type Dispatch = (envelope: Envelope) => Promise<Outcome>;

export type Dispatcher = {
  dispatch: Dispatch;
  /** Refuses new events and finishes those it has. */
  close(): Promise<void>;
  /** Events waiting for a lane. */
  waiting(): number;
};

export type DispatchDeps = {
  db: Database;
  clock: Clock;
  random: RandomSource;
  newId: NewId;
  log: Logger;
  /** Called after a commit that wrote effects, so that the worker need not wait for its next poll. */
  effectsWritten?: () => void;
};

export function createDispatch(deps: DispatchDeps): Dispatcher {
  const monotonic = () => performance.now();
  const jitter = () => (deps.random(1)[0] ?? 0) / 256;
  const mailboxes = createMailboxes();
  const runner = new BatchRunner({ ...deps, monotonic, jitter, decided: logDecision });
  let running = 0;
  let closed = false;
  let unanswered = 0;
  const idle: (() => void)[] = [];

  function logDecision(item: Item, outcome: Outcome): void {
    const { envelope, enqueuedAt } = item;
    if (outcome.orderId) mailboxes.alias(item, outcome.orderId);
    const { source, provider, eventKey } = envelope;
    const type = envelope.event?.type ?? envelope.received?.eventType;
    deps.log.info(
      { source, provider, eventKey, type, ...outcome, ms: Math.round(monotonic() - enqueuedAt) },
      'decided',
    );
  }

  function pump(): void {
    while (running < LANES && mailboxes.ready) {
      running += 1;
      void lane(mailboxes.take(BATCH_SIZE)).finally(() => {
        running -= 1;
        pump();
      });
    }
  }

  async function lane(items: Item[]): Promise<void> {
    const again = await runner.run(items).catch((error: unknown) => {
      for (const item of items) item.fail(error);
      return [];
    });
    mailboxes.release(items);
    for (const item of again) decideAgain(item);
  }

  function decideAgain(item: Item): void {
    const waited = monotonic() - item.enqueuedAt;
    if (waited >= CONFLICT_BUDGET_MS) {
      item.fail(new Overloaded('the order is held by another session; try again'));
      return;
    }
    const pause = Math.min(CONFLICT_PAUSE_MAX_MS, CONFLICT_PAUSE_MS + waited / 4) * (0.5 + jitter());
    setTimeout(() => {
      mailboxes.put(item);
      pump();
    }, pause);
  }

  function dispatch(envelope: Envelope): Promise<Outcome> {
    if (closed) return Promise.reject(new Overloaded('the service is shutting down'));
    if (mailboxes.waiting >= QUEUE_LIMIT)
      return Promise.reject(new Overloaded(`${QUEUE_LIMIT} events are waiting already`));
    unanswered += 1;
    return new Promise<Outcome>((settle, fail) => {
      mailboxes.put({
        envelope,
        enqueuedAt: monotonic(),
        answerLost: false,
        receivedAt: deps.clock(),
        counted: envelope.stored !== undefined,
        taken: 0,
        settle,
        fail,
      });
      pump();
    }).finally(() => {
      unanswered -= 1;
      if (unanswered === 0) for (const resolve of idle.splice(0)) resolve();
    });
  }

  return {
    dispatch,
    close() {
      closed = true;
      return unanswered === 0 ? Promise.resolve() : new Promise<void>(resolve => idle.push(resolve));
    },
    waiting: () => mailboxes.waiting,
  };
}
