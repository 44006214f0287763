// Decides events again that wait in the inbox: those whose order was not known, each when its time has come, and those whose
// order could not be read, once it can. An alert tells of events that are ours and find no order in time.
import type { Logger } from 'pino';
import type { Database } from '../../db/client.ts';
import { openFindings } from '../../db/findings.ts';
import {
  type DueEvent,
  type KeptEvent,
  readDueEvents,
  readUnread,
  type UnreadEvent,
  unmatchedFingerprint,
} from '../../db/inbox.ts';
import { readOrder, SnapshotUnreadable } from '../../machines/snapshot.ts';
import { KNOWN_MACHINE_IDS } from '../../machines/versions.ts';
import type { Clock } from '../clock.ts';
import type { Verdict } from '../dispatch/envelope.ts';
import { UNMATCHED_ALERT_AFTER_MS } from '../dispatch/unmatchedSchedule.ts';
import type { Dispatch } from '../dispatch.ts';
import { DatabaseUnavailable } from '../errors.ts';
import type { NewId } from '../ids.ts';
import type { PaymentProvider } from '../providers/provider.ts';
import { retryErrorOf } from '../retry/parts.ts';
import { keptEnvelope } from '../unmatched.ts';
import type { HoldOff } from './holdOff.ts';

/**
 * Events read and decided at once. Each brings its bytes with it, up to 256 KiB, so a page is smaller than one of
 * orders.
 */
const PAGE_SIZE = 50;

export type UnmatchedDeps = {
  db: Database;
  /** The core's, so that the charge of a renewal finds its order. */
  dispatch: Dispatch;
  providers: ReadonlyMap<string, PaymentProvider>;
  clock: Clock;
  newId: NewId;
  log: Logger;
  holdOff: HoldOff;
};

/** One round over the unmatched events that are due now. */
export async function retryUnmatched(deps: UnmatchedDeps, stop?: AbortSignal): Promise<void> {
  const dueAt = deps.clock();
  let cursor: DueEvent | null = null;
  while (!stop?.aborted) {
    const page: DueEvent[] = await readDueEvents(deps.db, dueAt, cursor, PAGE_SIZE);
    const events = page.map(event => ({ ...event, ours: event.ours || isOnlyOurs(deps, event.provider) }));
    const verdicts = await Promise.all(events.map(event => decideAgain(deps, event, event.ours)));
    await tellOf(
      deps,
      events.filter((event, index) => event.ours && verdicts[index] === 'unmatched'),
    );
    cursor = page.at(-1) ?? null;
    if (!cursor || page.length < PAGE_SIZE) return;
  }
}

const isOnlyOurs = ({ providers }: UnmatchedDeps, provider: string) => providers.get(provider)?.onlyOurs === true;

/** One round over the events that were parked because their order could not be read. */
export async function decideReadable(deps: UnmatchedDeps, stop?: AbortSignal): Promise<void> {
  let cursor: UnreadEvent | null = null;
  while (!stop?.aborted) {
    const page: UnreadEvent[] = await readUnread(deps.db, KNOWN_MACHINE_IDS, cursor, PAGE_SIZE);
    await Promise.all(page.filter(canBeRead).map(event => decideAgain(deps, event, true)));
    cursor = page.at(-1) ?? null;
    if (!cursor || page.length < PAGE_SIZE) return;
  }
}

function canBeRead({ order }: UnreadEvent): boolean {
  try {
    return Boolean(readOrder(order));
  } catch (error) {
    if (error instanceof SnapshotUnreadable) return false;
    throw error;
  }
}

/** The verdict of this attempt; null when the event is held off or could not be decided. */
async function decideAgain(
  { dispatch, log, holdOff }: UnmatchedDeps,
  event: KeptEvent,
  ours: boolean,
): Promise<Verdict | null> {
  const { provider, eventKey } = event;
  const name = `${provider}:${eventKey}`;
  if (holdOff.holds(name)) return null;
  try {
    const { verdict } = await dispatch(keptEnvelope(event, { ours }));
    holdOff.succeeded(name);
    return verdict;
  } catch (error) {
    // The event is not to blame when the database is away, and the others would fare no better.
    if (error instanceof DatabaseUnavailable) throw error;
    holdOff.failed(name, retryErrorOf(error).detail);
    log.warn({ err: error, provider, eventKey }, 'a kept event could not be decided again');
    return null;
  }
}

/** A finding with its alert, once, for what has waited past the limit. */
async function tellOf({ db, clock, newId }: UnmatchedDeps, waiting: readonly DueEvent[]): Promise<void> {
  const at = clock();
  const late = waiting.filter(
    event => at.getTime() - event.receivedAt.getTime() >= UNMATCHED_ALERT_AFTER_MS && !isToldByItsList(event),
  );
  await openFindings(
    db,
    late.map(event => ({
      id: newId('fnd'),
      fingerprint: unmatchedFingerprint(event.provider, event.eventKey),
      kind: 'unmatched_event',
      severity: severityOf(event),
      orderId: null,
      detail: sentenceOf(event),
      alertId: newId('eff'),
      alertPayload: alertOf(event),
    })),
    at,
  );
}

/**
 * A captured payment that a provider's list has shown has a finding of its own already: nobody is to be told twice of
 * the same money.
 */
const isToldByItsList = ({ source, event }: DueEvent) => source === 'reconcile' && event.type === 'payment.captured';

function alertOf(event: DueEvent): Record<string, unknown> {
  const { provider, eventKey, eventType, providerOrderId, mark, receivedAt } = event;
  return {
    cause: 'unmatched_event',
    severity: severityOf(event),
    detail: sentenceOf(event),
    provider,
    eventKey,
    eventType,
    ...(providerOrderId !== null && { providerOrderId }),
    ...(mark !== null && { mark }),
    receivedAt: receivedAt.toISOString(),
  };
}

/** A captured payment is money for which a customer got nothing. Everything else is merely odd. */
const severityOf = ({ event }: DueEvent) => (event.type === 'payment.captured' ? 'critical' : 'warning');

function sentenceOf({ provider, eventKey, event, providerOrderId, mark, payerId }: DueEvent): string {
  const names = [
    providerOrderId && `its order ${providerOrderId}`,
    mark && `our order ${mark}`,
    payerId && `the user ${payerId}`,
    'paymentId' in event && event.paymentId && `the payment ${event.paymentId}`,
  ].filter(Boolean);
  return `${provider} told of ${event.type} (${eventKey}) for ${names.join(', ') || 'nothing by name'}, and no order is known that this belongs to`;
}
