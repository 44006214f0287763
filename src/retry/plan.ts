// What a retry of an order would run now, or a sentence that says why it would run nothing. It only reads: the same plan
// answers the question beforehand and decides what is sent.
import type { Database } from '../../db/client.ts';
import { type KeptEvent, readEarly } from '../../db/inbox.ts';
import { type OrderRow, readOrderRow } from '../../db/orders.ts';
import { type ParkedEvent, type RetryTraces, readParked, readRetryTraces } from '../../db/retries.ts';
import { decide } from '../../machines/decide.ts';
import { requestBeforehand } from '../../machines/legal.ts';
import { type DeadEffect, isRequestType } from '../../machines/orderEvents.ts';
import { type Deadline, type LiveOrder, readOrder, SnapshotUnreadable, stateName } from '../../machines/snapshot.ts';
import { noSubscription } from '../../machines/subscription.ts';
import type { Clock } from '../clock.ts';
import { NotFound } from '../errors.ts';
import { orderView } from '../orderView.ts';
import type { OrderView } from '../ports.ts';
import { nameOfPart, type RetryPart } from './parts.ts';

export type RetryPlan = {
  order: OrderView;
  row: OrderRow;
  /** In the order in which they are run: facts first, because they may make the others needless. */
  parts: RetryPart[];
  kept: KeptEvent[];
  deadline: Deadline | null;
  traces: RetryTraces;
  /** Set when there is nothing to run. */
  refused: string | null;
};

/** What was read of an order, with the parts that `retry.requested` itself runs. */
export type RetryLook = {
  row: OrderRow;
  live: LiveOrder | null;
  unreadable: string | null;
  asked: RetryPart[];
  why: string | null;
};

/**
 * The key under which a retry is noted in the inbox. It names the order, because many orders may be retried under one
 * key.
 */
export const noteKeyOf = (orderId: string, eventKey: string): string => `retry:${orderId}:${eventKey}`;

/** @throws NotFound; PaylatchError version_conflict */
export async function planRetry(
  { db, clock }: { db: Database; clock: Clock },
  id: string,
  { eventKey }: { eventKey: string },
): Promise<RetryPlan> {
  const [look, parked, early] = await Promise.all([lookAt(db, id), readParked(db, id), readEarly(db, id)]);
  // Read last: whoever sees the order as this key has mended it must see what the key has left, too.
  const traces = await readRetryTraces(db, id, { eventKey, noteKey: noteKeyOf(id, eventKey) });
  const { row, live, asked } = look;
  const now = clock();
  const kept = [...parked, ...early.filter(event => names(look, event))]
    .filter(isKeptFact)
    .sort((a, b) => a.receivedAt.getTime() - b.receivedAt.getTime());
  const deadline = live ? overdue(live, now) : null;
  const parts: RetryPart[] = live
    ? [
        ...kept.map(({ eventKey, eventType }) => ({ what: 'event' as const, name: eventType, key: eventKey })),
        ...(deadline ? [{ what: 'deadline' as const, name: deadline.id, key: deadlineKey(deadline) }] : []),
        ...asked,
      ]
    : [];
  const undecodable = parked.filter(({ event }) => event === null).length;
  const refused = parts.length > 0 ? null : refusalOf(look, traces, kept.length, undecodable);
  return { order: orderView(row, now), row, parts, kept, deadline, traces, refused };
}

/**
 * True of an event about this very order. One that names only its user or subscription may belong to another, and is
 * left to the sweeper.
 */
function names({ row, live }: RetryLook, { mark, providerOrderId, event }: KeptEvent): boolean {
  if (mark === row.id || (providerOrderId !== null && providerOrderId === row.providerOrderId)) return true;
  const paymentId = 'paymentId' in event ? event.paymentId : undefined;
  return live?.state.context.payments.some(payment => payment.paymentId === paymentId) ?? false;
}

/** True of facts. A kept request is not decided again: what somebody once asked for is not done behind their back later. */
const isKeptFact = (kept: ParkedEvent): kept is KeptEvent => kept.event !== null && !isRequestType(kept.event.type);

export const deadlineKey = ({ id, setAtVersion }: Deadline): string => `deadline:${id}:${setAtVersion}`;

/** @throws NotFound */
export async function lookAt(db: Database, id: string): Promise<RetryLook> {
  const row = await readOrderRow(db, id);
  if (!row) throw new NotFound(`there is no order ${id}`);
  try {
    const live = readOrder(row);
    return { row, live, unreadable: null, ...askedOf(live, row.deadEffects) };
  } catch (error) {
    if (error instanceof SnapshotUnreadable)
      return { row, live: null, unreadable: error.message, asked: [], why: null };
    throw error;
  }
}

/**
 * Asks the chart what `retry.requested` would do, once without the dead effects and once with them, to tell apart what
 * each brings.
 */
function askedOf(live: LiveOrder, dead: readonly DeadEffect[]): Pick<RetryLook, 'asked' | 'why'> {
  const { userId, plan } = live.state.context;
  const ask = (effects: readonly DeadEffect[]) =>
    decide(live, requestBeforehand('retry.requested', effects), noSubscription(userId, plan.product));
  const bare = ask([]);
  const isLegal = bare.verdict !== 'illegal';
  const what = stateName(live) === 'captured' ? 'grant' : 'parked';
  const revived = dead.length === 0 ? [] : ask(dead).steps.flatMap(step => step.effects);
  const effects = dead.filter(({ dedupKey }) => revived.some(effect => effect.dedupKey === dedupKey));
  const asked: RetryPart[] = [
    ...(isLegal ? [{ what, name: null, key: null } as const] : []),
    ...effects.map(({ effect, dedupKey }) => ({ what: 'effect' as const, name: effect, key: dedupKey })),
  ];
  return { asked, why: isLegal ? null : bare.detail };
}

/** The deadline, when it is due and was not delivered. Not that of a captured order, which only tries the grant again. */
function overdue(live: LiveOrder, now: Date): Deadline | null {
  const { deadline } = live;
  if (!deadline || stateName(live) === 'captured') return null;
  return deadline.dueAt <= now.toISOString() ? deadline : null;
}

export const isAmong = (parts: readonly RetryPart[], part: RetryPart): boolean =>
  parts.some(other => nameOfPart(other) === nameOfPart(part));

function refusalOf(look: RetryLook, traces: RetryTraces, kept: number, undecodable: number): string {
  const { row, live, unreadable, why } = look;
  if (unreadable !== null) {
    const waiting = kept === 0 ? '' : ` ${events(kept)} kept for it; a retry decides them once its chart is back.`;
    return `The order cannot be read and is not touched: ${unreadable}.${waiting}`;
  }
  const { backingOff } = traces;
  const [dead] = row.deadEffects;
  const sentences = [
    `The order is ${row.state}: ${why ?? 'nothing has failed'}.`,
    dead
      ? `Its dead effect ${dead.effect} is over and not sent again (${dead.lastError ?? 'no error was noted'}); ask for it anew.`
      : 'It has no dead effect.',
    'No event waits to be decided and no deadline is overdue.',
    backingOff
      ? `Its effect ${backingOff.effect} was tried ${backingOff.attempts === 1 ? 'once' : `${backingOff.attempts} times`} and is tried again by itself at ${backingOff.availableAt}.`
      : '',
    undecodable > 0 ? `${events(undecodable)} kept whose body could not be decoded; that cannot be decided again.` : '',
    live?.deadline ? `It waits by itself until ${live.deadline.dueAt}.` : '',
  ];
  return sentences.filter(sentence => sentence !== '').join(' ');
}

const events = (count: number): string => (count === 1 ? '1 event is' : `${count} events are`);
