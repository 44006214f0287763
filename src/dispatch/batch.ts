// Takes one batch through the database: load, decide, commit, and what to do when the database refuses. What follows from
// an error depends on its class: the statement is repeated, or the batch waits, or it is halved until the event that cannot
// be written stands alone, so that one bad row never fails its neighbours.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Database } from '../../db/client.ts';
import { commitDecisions } from '../../db/commit.ts';
import { type LoadRequest, loadForDecision } from '../../db/load.ts';
import { classOf, databaseMessage } from '../../db/sqlstate.ts';
import type { Clock } from '../clock.ts';
import { DatabaseUnavailable } from '../errors.ts';
import type { NewId } from '../ids.ts';
import { type DecidedBatch, decideBatch } from './decideBatch.ts';
import type { Item, Outcome } from './envelope.ts';

/** How long a call may take in all, in ms, before it is told to come back; the database's own deadlines are shorter. */
const CALL_DEADLINE_MS = 7_500;
/** Pauses between tries while the database does not answer, in ms. */
const RETRY_PAUSE_MS = 50;
/** How long an order that failed its batch is decided apart from others, in ms: the cause rarely goes away by itself. */
const ALONE_MS = 60_000;
/**
 * How often a commit may lose a unique key to a faster one. When it happens more often, the row itself cannot be
 * written.
 */
const MAX_TAKEN = 2;

export type BatchDeps = {
  db: Database;
  clock: Clock;
  newId: NewId;
  /** Monotonic, in ms. */
  monotonic: () => number;
  /** Between 0 and 1, for jitter. */
  jitter: () => number;
  /** Called after the commit, before the caller is answered. */
  decided: (item: Item, outcome: Outcome) => void;
  /** Called after a commit that wrote effects. */
  effectsWritten?: (() => void) | undefined;
};

export class BatchRunner {
  private readonly aloneUntil = new Map<string, number>();
  private readonly deps: BatchDeps;
  /**
   * How many events were kept without an order so far. When it grows between a batch's load and its commit, the load
   * has missed some.
   */
  private kept = 0;

  constructor(deps: BatchDeps) {
    this.deps = deps;
  }

  /** Answers every event it can, and returns those that are to be decided again soon. */
  async run(items: Item[]): Promise<Item[]> {
    const together = items.filter(item => !this.mustStandAlone(item));
    const conflicted = await this.runTogether(together);
    for (const item of items) if (!together.includes(item)) conflicted.push(...(await this.runTogether([item])));
    return conflicted;
  }

  private mustStandAlone(item: Item): boolean {
    const until = this.aloneUntil.get(addressOf(item));
    if (until === undefined) return false;
    if (until > this.deps.monotonic()) return true;
    this.aloneUntil.delete(addressOf(item));
    return false;
  }

  private async runTogether(items: Item[]): Promise<Item[]> {
    if (items.length === 0) return [];
    let batch: Decided | undefined;
    try {
      batch = await this.decide(items, null);
      return await this.commitAndSettle(items, batch);
    } catch (error) {
      const kind = error instanceof DatabaseUnavailable ? 'unavailable' : classOf(error);
      for (const item of items) item.taken += kind === 'taken' ? 1 : 0;
      if (kind === 'taken' && items.every(item => item.taken < MAX_TAKEN)) return items;
      // One event that cannot be read or written must not fail its neighbours, whether the database or our own code says so.
      const culprit = kind !== 'unavailable';
      if (culprit && items.length > 1) return this.halve(items);
      if (culprit && batch && kind !== 'bug') return this.standAlone(items, error);
      for (const item of items) item.fail(error);
      return [];
    }
  }

  private async decide(items: Item[], grantError: string | null): Promise<Decided> {
    const keptBefore = this.kept;
    const loaded = await this.untilTold(items, () => loadForDecision(this.deps.db, items.map(requestOf)));
    const { clock, newId } = this.deps;
    const batch = decideBatch(items, loaded, { at: clock(), newId, grantError });
    return { ...batch, early: new Set(items.filter((_, index) => loaded[index]?.early)), keptBefore };
  }

  private async halve(items: Item[]): Promise<Item[]> {
    const middle = items.length >> 1;
    const first = await this.runTogether(items.slice(0, middle));
    return [...first, ...(await this.runTogether(items.slice(middle)))];
  }

  /**
   * The event that failed its batch, alone: if only its grant cannot be written, its money is kept as `captured`, with
   * the database's reason.
   */
  private async standAlone(items: Item[], cause: unknown): Promise<Item[]> {
    const [item] = items;
    if (!item) return [];
    for (const [address, until] of this.aloneUntil) if (until <= this.deps.monotonic()) this.aloneUntil.delete(address);
    this.aloneUntil.set(addressOf(item), this.deps.monotonic() + ALONE_MS);
    try {
      return await this.commitAndSettle(items, await this.decide(items, databaseMessage(cause)));
    } catch (error) {
      const kind = error instanceof DatabaseUnavailable ? 'unavailable' : classOf(error);
      item.fail(kind === 'unavailable' ? error : cause);
      return [];
    }
  }

  private async commitAndSettle(items: Item[], batch: Decided): Promise<Item[]> {
    for (const { item, error } of batch.failed) item.fail(error);
    const { commit } = batch;
    const written = await this.commitUntilTold(items, batch);
    if (commit.groups.some((group, index) => written.has(index) && group.effects.length > 0))
      this.deps.effectsWritten?.();
    const told = [...batch.loose, ...batch.groups.flatMap(group => group.members)];
    this.kept += told.filter(({ outcome }) => UNPLACED.has(outcome.verdict)).length;
    const again = [...batch.rerouted];
    batch.groups.forEach((group, index) => {
      for (const { item, outcome } of group.members) {
        if (written.has(index)) this.settle(item, outcome, batch);
        else again.push(item);
      }
    });
    if (commit.looseInbox.length > 0) for (const { item } of batch.loose) item.counted = true;
    again.push(...(await this.matchedMeanwhile(batch)));
    for (const { item, outcome } of batch.loose) if (!again.includes(item)) this.settle(item, outcome, batch);
    return again;
  }

  private settle(item: Item, outcome: Outcome, { early, keptBefore }: Decided): void {
    const type = item.envelope.event?.type ?? '';
    // An opening gives the order the name that webhooks use. Webhooks that came while it was written are looked for now.
    const isCalled = PAYMENTS.has(type) ? early.has(item) || this.kept > keptBefore : type === 'checkout.opened';
    if (isCalled && TAKEN_IN.has(outcome.verdict)) outcome.early = true;
    this.deps.decided(item, outcome);
    item.settle(outcome);
  }

  private async commitUntilTold(items: Item[], { commit }: DecidedBatch): Promise<Set<number>> {
    if (commit.groups.length + commit.looseInbox.length + commit.findings.length === 0) return new Set();
    return this.untilTold(
      items,
      () => commitDecisions(this.deps.db, commit),
      () => {
        for (const item of items) item.answerLost = true;
      },
    );
  }

  /** The same statement until the database tells what it did with it, or until the callers' time is over. */
  private async untilTold<T>(items: readonly Item[], statement: () => Promise<T>, lost?: () => void): Promise<T> {
    const deadline = Math.min(...items.map(item => item.enqueuedAt)) + CALL_DEADLINE_MS;
    for (;;) {
      try {
        return await statement();
      } catch (error) {
        const kind = classOf(error);
        if (kind !== 'again' && kind !== 'unavailable') throw error;
        if (kind === 'unavailable') lost?.();
        if (this.deps.monotonic() >= deadline) throw new DatabaseUnavailable('the database does not answer', error);
        await sleep(RETRY_PAUSE_MS * (kind === 'again' ? this.deps.jitter() / 5 : 0.5 + this.deps.jitter()));
      }
    }
  }

  /**
   * Events that were committed as `unmatched` although their order is there by now: it was opened, or heard of the payment,
   * after the load and before the commit. They are to be decided again.
   */
  private async matchedMeanwhile(batch: DecidedBatch): Promise<Item[]> {
    const unplaced = batch.loose.filter(({ outcome }) => UNPLACED.has(outcome.verdict)).map(({ item }) => item);
    const named = unplaced.filter(item => {
      const { orderId, providerOrderId, paymentId } = requestOf(item);
      return orderId !== null || providerOrderId !== null || paymentId !== null;
    });
    if (named.length === 0) return [];
    const loaded = await this.untilTold(named, () => loadForDecision(this.deps.db, named.map(requestOf)));
    return named.filter((_, index) => loaded[index]?.order || loaded[index]?.paymentOwner);
  }
}

type Decided = DecidedBatch & {
  /** Events that may give their orders names under which something is kept already. */
  early: ReadonlySet<Item>;
  /** The count of kept events when the batch was loaded. */
  keptBefore: number;
};

/** Verdicts of events that an order has booked, and from which it may have learned a name of its own. */
const TAKEN_IN = new Set<string>(['applied', 'surplus', 'mismatch']);
/** Events that give an order a payment, and perhaps a subscription or a payer. */
const PAYMENTS = new Set<string>(['payment.authorized', 'payment.captured']);
const UNPLACED = new Set<string>(['unmatched', 'foreign']);
const addressOf = ({ envelope }: Item) => envelope.orderId ?? `${envelope.provider}:${envelope.providerOrderId}`;

/** What the loader must bring for this event. */
export function requestOf({ envelope }: Pick<Item, 'envelope'>): LoadRequest {
  const { event } = envelope;
  return {
    orderId: envelope.orderId,
    provider: envelope.provider,
    providerOrderId: envelope.providerOrderId,
    eventKey: envelope.eventKey,
    paymentId: event && 'paymentId' in event ? (event.paymentId ?? null) : null,
    subscriptionId: event && 'subscriptionId' in event ? (event.subscriptionId ?? null) : null,
    needsEarly: PAYMENTS.has(event?.type ?? ''),
    needsGrants: event?.type === 'refund.updated' || event?.type === 'dispute.updated',
    needsDeadEffects: event?.type === 'retry.requested',
  };
}
