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
  // The instant plays no part in whether a request is legal; any will do.
  const event: OrderEvent = {
    type,
    at: '1970-01-01T00:00:00.000Z',
    reason: 'asked beforehand',
    ...(deadEffects.length > 0 ? { dead: [...deadEffects] } : {}),
  };
  const { userId, plan } = order.state.context;
  return decide(order, event, noSubscription(userId, plan.product)).verdict !== 'illegal';
}
