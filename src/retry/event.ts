// Decides one kept event again because a person asked for it, on whichever order it belongs to by now. Who asked, and why, is
// noted in the inbox first. What it would do can be asked beforehand.
import { isOpen } from '../../db/commit.ts';
import { type EventRef, readStored, type StoredEvent } from '../../db/inbox.ts';
import { loadForDecision } from '../../db/load.ts';
import { isRequestType } from '../../machines/orderEvents.ts';
import { requestOf } from '../dispatch/batch.ts';
import type { Envelope, Outcome } from '../dispatch/envelope.ts';
import { NotFound, PaylatchError } from '../errors.ts';
import type { PaymentProvider } from '../providers/provider.ts';
import { findChargeAddress } from '../renewals.ts';
import type { RetryDeps } from '../retry.ts';
import { keptEnvelope } from '../unmatched.ts';
import { type RetryAsker, retryNote } from './note.ts';

export type EventRetryDeps = RetryDeps & { providers: ReadonlyMap<string, PaymentProvider> };

export type EventRetryPlan = {
  /** The order it would be decided on; null while none is known. */
  orderId: string | null;
  /** It is a recurring charge: the order above would be opened for it, as a renewal of this one. */
  renews: string | null;
  /** Why nothing would be decided; null when something would. */
  refused: string | null;
};

export type EventRetryRequest = {
  reason: string;
  by: string;
  /** How often the event had been decided when the person looked. Another number means that it was decided meanwhile. */
  attempts: number;
  /** Only if the order stands at this version. */
  ifMatch?: number;
};

/** Where this event would go now. Writes nothing. @throws NotFound */
export async function planEventRetry(deps: EventRetryDeps, ref: EventRef): Promise<EventRetryPlan> {
  return planOf(deps, await stored(deps, ref));
}

/**
 * Decides it again, as the sweeper would.
 * @throws NotFound; PaylatchError nothing_to_retry with why, version_conflict when it or its order has moved on
 */
export async function retryEvent(deps: EventRetryDeps, ref: EventRef, request: EventRetryRequest): Promise<Outcome> {
  const event = await stored(deps, ref);
  const { orderId, refused } = await planOf(deps, event);
  if (refused !== null || !isUndecided(event)) throw new PaylatchError('nothing_to_retry', refused ?? '');
  if (event.attempts !== request.attempts)
    throw new PaylatchError('version_conflict', 'The event was decided again meanwhile.');
  await deps.dispatch(note(event, orderId, request));
  const { ifMatch } = request;
  const told = keptEnvelope(event, { ours: isOurs(deps, event) });
  return deps.dispatch({
    ...told,
    orderId: orderId ?? told.orderId,
    ...(orderId !== null && ifMatch !== undefined && { ifMatch }),
  });
}

/** The keys of the notes that retries of this event have left. */
export const eventNoteKeys = (eventKey: string, attempts: number): string[] =>
  Array.from({ length: attempts + 1 }, (_, attempt) => noteKey(eventKey, attempt));
const noteKey = (eventKey: string, attempt: number): string => `retry:${eventKey}:${attempt}`;

async function stored({ db }: EventRetryDeps, ref: EventRef): Promise<StoredEvent> {
  const event = await readStored(db, ref);
  if (!event) throw new NotFound(`there is no event ${ref.eventKey} of ${ref.provider}`);
  return event;
}

type Undecided = StoredEvent & { event: NonNullable<StoredEvent['event']> };

async function planOf(deps: EventRetryDeps, event: StoredEvent): Promise<EventRetryPlan> {
  const refused = refusalOf(event);
  if (refused !== null || !isUndecided(event)) return { orderId: event.orderId, renews: null, refused };
  const told = keptEnvelope(event, { ours: true });
  const charge = await findChargeAddress(deps.db, told);
  if (charge?.renews) return { orderId: charge.orderId, renews: charge.renews.id, refused: null };
  const envelope = charge ? { ...told, orderId: charge.orderId } : told;
  const [loaded] = await loadForDecision(deps.db, [requestOf({ envelope })]);
  return { orderId: loaded?.order?.id ?? loaded?.paymentOwner ?? null, renews: null, refused: null };
}

const isUndecided = (event: StoredEvent): event is Undecided => event.event !== null;

function refusalOf({ verdict, event }: StoredEvent): string | null {
  if (!isOpen(verdict)) return 'It is decided, once and for all. What failed since at its order is retried there.';
  if (event === null)
    return 'Its body could not be understood, so there is nothing to decide. What it says can be told to its order by hand.';
  if (isRequestType(event.type))
    return 'It asked for something once. That is not done later behind anybody’s back: ask for it anew.';
  return null;
}

/** As the sweeper has it: something in it is ours, or nothing else moves at this provider. */
const isOurs = ({ providers }: EventRetryDeps, { provider, ours }: StoredEvent): boolean =>
  ours || providers.get(provider)?.onlyOurs === true;

function note({ provider, eventKey, attempts }: StoredEvent, orderId: string | null, asker: RetryAsker): Envelope {
  const address = { orderId, provider: provider === 'none' ? null : provider, eventKey: noteKey(eventKey, attempts) };
  return retryNote({ ...address, what: `decided again: event ${eventKey}` }, asker);
}
