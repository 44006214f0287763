// What an event's page knows: the event as it arrived, what it names, which orders it could belong to and why, and what
// deciding it again would come to.
import { isOpen } from '../../../db/commit.ts';
import type { EventRef } from '../../../db/inbox.ts';
import {
  type ArrivedEventRow,
  type EventFinding,
  type EventNote,
  readArrivedEvent,
  readEventFinding,
  readEventNotes,
} from '../../../db/inspect/event.ts';
import { type CandidateReason, type CandidateRow, findCandidates } from '../../../db/inspect/eventCandidates.ts';
import { type EventRetryPlan, eventNoteKeys } from '../../retry/event.ts';
import type { InspectorDeps } from '../page.ts';

/** Of a body at most this much is read, in bytes: intake takes no more than 256 KiB, so all of any that came. */
const MAX_RAW_BYTES = 300_000;
/** How long before a payment its order may have been made, in ms: twice the time an order may be paid in. */
const PRICE_WINDOW_MS = 60 * 60_000;
/** How far the provider's clock may be behind ours, in ms. */
const CLOCK_SLACK_MS = 5 * 60_000;
/** Notes read: an operator asks a handful of times; the sweeper's own tries are counted with them. */
const MAX_NOTES = 500;

/** What it says about money, where that is known: while it may have to be decided again. */
export type EventNames = {
  paymentId: string | null;
  refundId: string | null;
  disputeId: string | null;
  subscriptionId: string | null;
  amountMinor: number | null;
  currency: string | null;
  occurredAt: string | null;
};

export type Candidate = Omit<CandidateRow, 'why'> & { reasons: CandidateReason[] };

export type EventModel = {
  event: ArrivedEventRow;
  names: EventNames;
  candidates: Candidate[];
  plan: EventRetryPlan;
  finding: EventFinding | null;
  notes: EventNote[];
  /** Of the provider's account here; null when it is not configured. */
  live: boolean | null;
  now: Date;
};

/** Null when nothing of this key arrived. */
export async function readEventModel(
  { db, core, clock }: Pick<InspectorDeps, 'db' | 'core' | 'clock'>,
  ref: EventRef,
): Promise<EventModel | null> {
  const event = await readArrivedEvent(db, ref, MAX_RAW_BYTES);
  if (!event) return null;
  const names = namesOf(event);
  const keys = eventNoteKeys(event.eventKey, Math.min(event.attempts, MAX_NOTES));
  const [rows, plan, finding, notes] = await Promise.all([
    findCandidates(db, questionOf(event, names)),
    core.events.planRetry(ref),
    readEventFinding(db, ref),
    readEventNotes(db, event.provider, keys),
  ]);
  const live = core.providers.get(event.provider)?.live ?? null;
  return { event, names, candidates: merged(rows), plan, finding, notes, live, now: clock() };
}

function namesOf({ event }: ArrivedEventRow): EventNames {
  const text = (name: string) => (typeof event?.[name] === 'string' ? event[name] : null);
  return {
    paymentId: text('paymentId'),
    refundId: text('refundId'),
    disputeId: text('disputeId'),
    subscriptionId: text('subscriptionId'),
    amountMinor: typeof event?.amountMinor === 'number' ? event.amountMinor : null,
    currency: text('currency'),
    occurredAt: text('occurredAt'),
  };
}

/** The price is asked only where no order is known, and only of a payment: a refund may be any part of one. */
function questionOf(
  event: ArrivedEventRow,
  { paymentId, subscriptionId, amountMinor, currency, ...names }: EventNames,
) {
  const { provider, orderId, mark, providerOrderId, payerId, verdict } = event;
  const at = names.occurredAt === null ? event.receivedAt : new Date(names.occurredAt);
  const isSought = orderId === null && isOpen(verdict) && String(event.event?.type).startsWith('payment.');
  const price =
    isSought && amountMinor !== null && currency !== null
      ? {
          amountMinor,
          currency,
          from: new Date(at.getTime() - PRICE_WINDOW_MS),
          to: new Date(at.getTime() + CLOCK_SLACK_MS),
        }
      : null;
  return { provider, orderId, mark, providerOrderId, paymentId, subscriptionId, payerId, price };
}

/** An order once, with all its reasons, the surest first. */
function merged(rows: readonly CandidateRow[]): Candidate[] {
  const byId = new Map<string, Candidate>();
  for (const { why, ...row } of rows) {
    const known = byId.get(row.id);
    if (known) known.reasons.push(why);
    else byId.set(row.id, { ...row, reasons: [why] });
  }
  return [...byId.values()];
}
