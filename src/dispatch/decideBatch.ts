// Answers each event of a batch from what was loaded: a repetition by its stored verdict, an event of an unknown order as
// unmatched, everything else by the machine. What has to be written is collected in a Commit. An event that cannot be
// answered fails its own call and no other.
import { isOpen } from '../../db/commit.ts';
import type { Loaded, LoadedOrder } from '../../db/load.ts';
import type { Commit, InboxWrite } from '../../db/writes.ts';
import type { Decision } from '../../machines/decide.ts';
import { isRequestType, type UnstampedOrderEvent } from '../../machines/orderEvents.ts';
import { stateName } from '../../machines/snapshot.ts';
import { assertVersion, NotFound, PaylatchError } from '../errors.ts';
import type { NewId } from '../ids.ts';
import {
  type BatchDraft,
  decideInto,
  type GroupDraft,
  groupWrites,
  newDraft,
  type OrderDraft,
  ownerInstead,
  ownerKey,
  placeOf,
} from './draft.ts';
import type { Item, Outcome, Verdict } from './envelope.ts';
import { arrival, arrivalAt, asked, mergeRow, type VerdictPart, verdictPart } from './inboxRows.ts';
import { unplaced } from './unmatchedSchedule.ts';

export type DecidedBatch = {
  commit: Commit;
  /** Per group of the commit, in its order: whose calls it answers. */
  groups: GroupDraft[];
  /** Answered by rows outside the groups, which are written whatever becomes of the groups. */
  loose: { item: Item; outcome: Outcome }[];
  /** Not to be written at all. */
  failed: { item: Item; error: unknown }[];
  /** To be decided again: on the order that owns their payment, or after another event under the same key. */
  rerouted: Item[];
};

export type BatchContext = { at: Date; newId: NewId; grantError: string | null };

export function decideBatch(items: readonly Item[], loaded: readonly Loaded[], context: BatchContext): DecidedBatch {
  const batch: DecidedBatch = {
    commit: { groups: [], looseInbox: [], findings: [] },
    groups: [],
    loose: [],
    failed: [],
    rerouted: [],
  };
  const draft = newDraft(context.at.toISOString(), context.newId);
  const work: Work = { context, draft, batch, looseRows: new Map(), keys: new Map() };
  items.forEach((item, index) => {
    const found = loaded[index];
    if (!found) throw new Error('every event of a batch must be loaded');
    try {
      noteOtherBody(item, found, batch.commit, context.newId);
      answer(work, item, found);
    } catch (error) {
      batch.failed.push({ item, error });
    }
  });
  batch.groups = [...work.draft.groups.values()].filter(group => group.members.length > 0);
  batch.commit.groups = batch.groups.map(groupWrites);
  batch.commit.looseInbox = [...work.looseRows.values()];
  return batch;
}

/** What is being decided, and what it has come to so far. */
type Work = {
  context: BatchContext;
  draft: BatchDraft;
  batch: DecidedBatch;
  looseRows: Map<string, InboxWrite>;
  /** What each key of this batch stands for: the order and the words it came with. */
  keys: Map<string, string>;
};

function answer(work: Work, item: Item, found: Loaded): void {
  const { envelope } = item;
  if (found.received && !isOpen(found.received.verdict)) answerFromInbox(work, item, found, found.received);
  else if (keyStandsForAnother(work, item, found)) work.batch.rerouted.push(item);
  else if (!envelope.event) keepWithoutMachine(work, item, found);
  else if (followOwner(work, item, found)) work.batch.rerouted.push(item);
  else if (found.order) decideOne(work, item, { ...found, order: found.order });
  else if (envelope.received) keepUnmatched(work, item, envelope.event, found.received);
  else throw new NotFound(`there is no order ${envelope.orderId}`);
}

/**
 * True when an earlier event of this batch came under the same key and meant something else. A key has one row, so the later
 * event is decided after this batch, when it can see what the first one has left.
 */
function keyStandsForAnother({ keys }: Work, { envelope }: Item, { order }: Loaded): boolean {
  const name = `${envelope.provider ?? order?.provider} ${envelope.eventKey}`;
  const meaning = `${order?.id} ${envelope.received?.bodyHash ?? JSON.stringify(envelope.event)}`;
  const first = keys.get(name) ?? meaning;
  keys.set(name, first);
  return first !== meaning;
}

/** A row with our key and a final verdict: an earlier delivery, or our own commit whose answer was lost. */
function answerFromInbox(work: Work, item: Item, found: Loaded, before: NonNullable<Loaded['received']>): void {
  if (!item.answerLost) keepLoose(work, item, { ...verdictPart(before.verdict), orderId: before.orderId });
  answerLoose(work, item, item.answerLost ? (before.verdict as Verdict) : 'duplicate', null, found.order);
}

function keepWithoutMachine(work: Work, item: Item, found: Loaded): void {
  const { because, detail = null } = item.envelope;
  const verdict = because === 'ignored' ? 'ignored' : 'parked';
  keepLoose(work, item, { ...verdictPart(verdict), detail, orderId: found.order?.id ?? null });
  answerLoose(work, item, verdict, detail, found.order);
}

function keepUnmatched(work: Work, item: Item, event: UnstampedOrderEvent, before: Loaded['received']): void {
  const { provider, providerOrderId, orderId: mark, payerId = null, stored = null } = item.envelope;
  const detail = `no order is known as ${providerOrderId ?? mark ?? 'anything'} at ${provider}`;
  const receivedAt = before?.receivedAt ?? item.receivedAt;
  const { verdict, nextAttemptAt } = unplaced(work.context.at, receivedAt, before?.verdict ?? null, stored);
  keepLoose(work, item, { ...verdictPart(verdict), detail, mark, payerId, event, nextAttemptAt });
  answerLoose(work, item, verdict, detail, null);
}

function keepLoose(work: Work, item: Item, row: VerdictPart): void {
  if (item.envelope.received) mergeRow(work.looseRows, { ...arrival(item), ...row });
}

function answerLoose(work: Work, item: Item, verdict: Verdict, detail: string | null, order: LoadedOrder | null): void {
  const outcome = {
    verdict,
    detail,
    orderId: order?.id ?? null,
    state: order?.state ?? null,
    version: order?.version ?? null,
  };
  work.batch.loose.push({ item, outcome });
}

/**
 * Readdresses the event when another order owns its payment; true when it did. A version that the caller has set is checked
 * against the order that the caller named, because the other one they have not seen.
 */
function followOwner({ draft }: Work, item: Item, { order, paymentOwner }: Loaded): boolean {
  const { event, provider } = item.envelope;
  const paymentId = event && 'paymentId' in event ? event.paymentId : undefined;
  if (!paymentId) return false;
  const known = draft.owners.get(ownerKey(order?.provider ?? provider, paymentId)) ?? paymentOwner;
  const owner = ownerInstead(event, order, known);
  if (owner === null) return false;
  const { ifMatch, ...envelope } = item.envelope;
  if (order) assertVersion(order, ifMatch);
  item.envelope = { ...envelope, orderId: owner };
  return true;
}

type FoundOrder = Loaded & { order: LoadedOrder };
type Place = { group: GroupDraft; order: OrderDraft };

function decideOne(work: Work, item: Item, found: FoundOrder): void {
  const { envelope } = item;
  const place = placeOf(work.draft, found, found.order);
  const { order } = place;
  if (found.transition || order.keys.has(envelope.eventKey)) repeat(place, item, found);
  else {
    const version = order.live?.version ?? order.loaded.version;
    assertVersion({ version }, envelope.ifMatch);
    if (order.live) decideByMachine(work, place, item, found);
    else keepUnreadable(place, item);
  }
}

/** The key has made a transition already: in this batch, earlier, or in a commit of ours whose answer was lost. */
function repeat({ group, order }: Place, item: Item, found: FoundOrder): void {
  assertSameRequest(item, found);
  const verdict = item.answerLost && found.transition ? 'applied' : 'duplicate';
  if (item.envelope.received) {
    const decidedVersion = order.live?.version ?? order.loaded.version;
    mergeRow(order.inbox, { ...arrival(item), ...verdictPart(verdict), orderId: order.loaded.id, decidedVersion });
  }
  group.members.push({ item, outcome: outcomeOf(order, verdict, null) });
}

function decideByMachine({ draft, context }: Work, place: Place, item: Item, found: FoundOrder): void {
  const { group, order } = place;
  const { envelope } = item;
  const decidedVersion = order.live?.version ?? order.loaded.version;
  const decision = decideInto(draft, place, item, found, context.grantError);
  order.keys.add(envelope.eventKey);
  // An operator's event that was kept while the order could not be read has a row, too, which is no longer parked.
  if (envelope.received || found.received) {
    // Assigned to the fresh objects: to copy both once more takes longer than everything else in this function.
    const became = verdictPart(decision.verdict);
    became.detail = decision.detail;
    became.orderId = order.loaded.id;
    became.decidedVersion = decidedVersion;
    became.appliedVersion = decision.steps[0]?.version ?? null;
    became.event = isOpen(decision.verdict) ? envelope.event : null;
    if (decision.verdict === 'unmatched') became.nextAttemptAt = nextAttempt(context.at, item, found);
    mergeRow(order.inbox, Object.assign(arrivalAt(item, order.loaded.provider), became));
  } else if (isToldInVain(item, decision)) keepAsked(context, place, item, found, decision);
  group.members.push({ item, outcome: outcomeOf(order, decision.verdict, decision.detail) });
}

/**
 * True of an operator's event that changed nothing and was not refused. A refusal is answered at once and leaves no
 * row.
 */
const isToldInVain = ({ envelope }: Item, { verdict, steps }: Decision): boolean =>
  envelope.source === 'operator' && steps.length === 0 && verdict !== 'illegal';

/**
 * Keeps an operator's event that changed nothing: no transition tells of it, and whoever looks next must see who tried
 * what.
 */
function keepAsked(context: BatchContext, { order }: Place, item: Item, found: FoundOrder, decision: Decision): void {
  const { verdict, detail } = decision;
  const decidedVersion = order.live?.version ?? order.loaded.version;
  const nextAttemptAt = verdict === 'unmatched' ? nextAttempt(context.at, item, found) : null;
  mergeRow(order.inbox, { ...asked(item, order.loaded, { verdict, detail }), decidedVersion, nextAttemptAt });
}

/**
 * Such an event belongs to an order that is still to be opened from this one: it is ours, and tried until that order is
 * there.
 */
function nextAttempt(at: Date, item: Item, { received }: FoundOrder): Date | null {
  return unplaced(at, received?.receivedAt ?? item.receivedAt, 'unmatched', { ours: true }).nextAttemptAt;
}

/** An order whose snapshot cannot be read is not touched: facts are kept until its chart is back, requests are refused. */
function keepUnreadable({ group, order }: Place, item: Item): void {
  const { envelope } = item;
  if (envelope.event && isRequestType(envelope.event.type)) {
    throw new PaylatchError('illegal_event', `the order cannot be read: ${order.unreadable}`, { legalEvents: [] });
  }
  const row = {
    ...arrivalAt(item, order.loaded.provider),
    ...verdictPart('parked'),
    detail: `snapshot_unreadable: ${order.unreadable}`,
    orderId: order.loaded.id,
    decidedVersion: order.loaded.version,
    event: envelope.event,
  };
  mergeRow(order.inbox, row);
  group.members.push({ item, outcome: outcomeOf(order, 'parked', order.unreadable) });
}

function outcomeOf(order: OrderDraft, verdict: Verdict, detail: string | null): Outcome {
  return {
    verdict,
    detail,
    orderId: order.loaded.id,
    state: order.live ? stateName(order.live) : order.loaded.state,
    version: order.live?.version ?? order.loaded.version,
  };
}

/** The same key with another body is a mistake or an attack: the first body stays, and a finding tells of the second. */
function noteOtherBody(item: Item, found: Loaded, commit: Commit, newId: NewId): void {
  const { envelope } = item;
  // The key of a callback names the fact and not the call, so the same fact may come as JSON from a script and as a redirect.
  // The same holds for what we learned by asking.
  if (envelope.source === 'callback' || envelope.source === 'reconcile') return;
  if (!found.received || !envelope.received || found.received.bodyHash === envelope.received.bodyHash) return;
  const fingerprint = `other_body:${envelope.provider}:${envelope.eventKey}:${envelope.received.bodyHash}`;
  if (commit.findings.some(finding => finding.fingerprint === fingerprint)) return;
  const detail = `event ${envelope.eventKey} of ${envelope.provider} came again with another body`;
  commit.findings.push({
    id: newId('fnd'),
    fingerprint,
    kind: 'event_key_reused',
    severity: 'warning',
    orderId: found.received.orderId,
    detail,
  });
}

/** The same Idempotency-Key must mean the same event. @throws PaylatchError idempotency_key_reused */
function assertSameRequest({ envelope }: Item, { transition }: FoundOrder): void {
  if (!transition || envelope.source !== 'operator' || !envelope.event) return;
  const asked: Record<string, unknown> = { ...envelope.event };
  const kept: Record<string, unknown> = { ...transition.event };
  const differs = Object.keys(asked).some(name => JSON.stringify(asked[name]) !== JSON.stringify(kept[name]));
  if (differs)
    throw new PaylatchError(
      'idempotency_key_reused',
      `the key ${envelope.eventKey} was used for another event of this order`,
    );
}
