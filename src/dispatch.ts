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

/** Batches on their way at the same time: one in the database while the other is decided; more only split batches. */
const LANES = 2;
/** Events taken together: past this, larger statements gain nothing and one culprit costs more neighbours. */
const BATCH_SIZE = 200;
/** Events waiting before new ones are refused: about a second of work, so that nobody waits in vain. */
const QUEUE_LIMIT = 5_000;
/** How long an event whose order is taken or held by somebody is decided again, in ms. Time, not tries: locks last as long as they last. */
const CONFLICT_BUDGET_MS = 2_000;
/** Pause before deciding again, in ms, times a random factor, doubling up to the longest. */
const CONFLICT_PAUSE_MS = 4;
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
  /** Told after a commit that wrote effects: whoever carries them out need not wait for its next look. */
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
