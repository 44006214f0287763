// A dry run: the decision an event would meet now, with nothing written. The same load and the same decide as the real thing.
import type { Database } from '../db/client.ts';
import { type Loaded, type LoadedOrder, loadForDecision } from '../db/load.ts';
import { contextDiff } from '../machines/contextDiff.ts';
import { decide } from '../machines/decide.ts';
import { writtenEffects } from '../machines/effects.ts';
import { legalEvents } from '../machines/legal.ts';
import type { UnstampedOrderEvent } from '../machines/orderEvents.ts';
import { stateName, storedForm } from '../machines/snapshot.ts';
import type { Clock } from './clock.ts';
import { requestOf } from './dispatch/batch.ts';
import { newDraft, ownerInstead, placeOf, stampEvent } from './dispatch/draft.ts';
import type { Envelope } from './dispatch/envelope.ts';
import { assertVersion, NotFound, PaylatchError } from './errors.ts';
import type { NewId } from './ids.ts';
import type { PreviewView } from './ports.ts';

export type PreviewDeps = { db: Database; clock: Clock; newId: NewId };

/**
 * Decides without writing: on the order itself, or on the one that owns the payment whose money goes back, as dispatch does.
 * `ifMatch` is the version of the order that is named.
 * @throws NotFound; PaylatchError version_conflict, illegal_event for an order that cannot be read
 */
export async function preview(
  deps: PreviewDeps,
  orderId: string,
  event: UnstampedOrderEvent,
  ifMatch?: number,
): Promise<PreviewView> {
  const named = await load(deps, orderId, event);
  assertVersion(named.order, ifMatch);
  const owner = ownerInstead(event, named.order, named.paymentOwner);
  return previewOn(deps, owner === null ? named : await load(deps, owner, event), event);
}

type Known = Loaded & { order: LoadedOrder };

async function load({ db, newId }: PreviewDeps, orderId: string, event: UnstampedOrderEvent): Promise<Known> {
  const envelope: Envelope = {
    source: 'operator',
    orderId,
    provider: null,
    providerOrderId: null,
    eventKey: newId('evt'),
    event,
    received: null,
  };
  // Whatever the event leads to, nothing more is asked of the database than this one load.
  const [loaded] = await loadForDecision(db, [{ ...requestOf({ envelope }), needsGrants: true }]);
  if (!loaded?.order) throw new NotFound(`there is no order ${orderId}`);
  return { ...loaded, order: loaded.order };
}

function previewOn({ clock, newId }: PreviewDeps, loaded: Known, event: UnstampedOrderEvent): PreviewView {
  const draft = newDraft(clock().toISOString(), newId);
  const { group, order } = placeOf(draft, loaded, loaded.order);
  if (!order.live)
    throw new PaylatchError('illegal_event', `the order cannot be read: ${order.unreadable}`, { legalEvents: [] });
  const before = order.live;
  const decision = decide(before, stampEvent(event, draft, loaded, loaded.order), group.subscription.value);
  const after = decision.order;
  return {
    orderId: loaded.order.id,
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
