// Which events an order would hear now: facts always, requests only where the chart does not call them illegal.
import { decide } from './decide.ts';
import { type DeadEffect, isRequestType, type OrderEvent, type RequestType, sendableEvents } from './orderEvents.ts';
import type { LiveOrder } from './snapshot.ts';
import { noSubscription } from './subscription.ts';

/** The sendable event types that are not illegal in this order's present state, in the order of `sendableEvents`. */
export function legalEvents(order: LiveOrder, deadEffects: readonly DeadEffect[]): string[] {
  return Object.keys(sendableEvents).filter(type => !isRequestType(type) || isLegal(order, type, deadEffects));
}

function isLegal(order: LiveOrder, type: RequestType, deadEffects: readonly DeadEffect[]): boolean {
  const { userId, plan } = order.state.context;
  const event = requestBeforehand(type, deadEffects);
  return decide(order, event, noSubscription(userId, plan.product)).verdict !== 'illegal';
}

/**
 * A request before anybody has made it, to ask the chart what it would do. Its instant and its reason play no part in that, so
 * any will do. `dead` are the order's dead effects.
 */
export function requestBeforehand(type: RequestType, dead: readonly DeadEffect[]): OrderEvent {
  const request = { at: '1970-01-01T00:00:00.000Z', reason: 'asked beforehand' };
  if (type !== 'retry.requested' || dead.length === 0) return { type, ...request };
  return { type, ...request, dead: [...dead] };
}
