// A dry run: the decision an event would meet now, with nothing written. The same load and the same decide as the real thing.
import type { Database } from '../db/client.ts';
import { loadForDecision } from '../db/load.ts';
import { contextDiff } from '../machines/contextDiff.ts';
import { decide } from '../machines/decide.ts';
import { writtenEffects } from '../machines/effects.ts';
import { legalEvents } from '../machines/legal.ts';
import type { UnstampedOrderEvent } from '../machines/orderEvents.ts';
import { stateName, storedForm } from '../machines/snapshot.ts';
import type { Clock } from './clock.ts';
import { requestOf } from './dispatch/batch.ts';
import { newDraft, placeOf, stampEvent } from './dispatch/draft.ts';
import type { Envelope } from './dispatch/envelope.ts';
import { NotFound, PaylatchError } from './errors.ts';
import type { NewId } from './ids.ts';
import type { PreviewView } from './ports.ts';

export type PreviewDeps = { db: Database; clock: Clock; newId: NewId };

/** @throws NotFound; PaylatchError version_conflict, illegal_event for an order that cannot be read */
export async function preview(
  { db, clock, newId }: PreviewDeps,
  orderId: string,
  event: UnstampedOrderEvent,
  ifMatch?: number,
): Promise<PreviewView> {
  const envelope: Envelope = {
    source: 'operator',
    orderId,
    provider: null,
    providerOrderId: null,
    eventKey: newId('evt'),
    event,
    received: null,
  };
  const request = requestOf({ envelope });
  // Whatever the event leads to, nothing more is asked of the database than this one load.
  const [loaded] = await loadForDecision(db, [{ ...request, needsGrants: true }]);
  if (!loaded?.order) throw new NotFound(`there is no order ${orderId}`);
  const draft = newDraft(clock().toISOString(), newId);
  const { group, order } = placeOf(draft, loaded, loaded.order);
  if (!order.live)
    throw new PaylatchError('illegal_event', `the order cannot be read: ${order.unreadable}`, { legalEvents: [] });
  const before = order.live;
  if (ifMatch !== undefined && ifMatch !== before.version) {
    throw new PaylatchError('version_conflict', `the order stands at version ${before.version}, not ${ifMatch}`, {
      version: before.version,
    });
  }
  const decision = decide(before, stampEvent(event, draft, loaded, loaded.order), group.subscription.value);
  const after = decision.order;
  return {
    verdict: decision.verdict,
    detail: decision.detail,
    from: stateName(before),
    to: stateName(after),
    version: after.version,
    diff: contextDiff(storedForm(before).context, storedForm(after).context),
    effects: writtenEffects(decision.steps).map(({ effect, payload, dedupKey }) => ({ effect, payload, dedupKey })),
    wakeAt: after.deadline?.dueAt ?? null,
    legalEvents: legalEvents(before, loaded.deadEffects),
  };
}
