// Sends what a merchant or operator asked for to its order, through dispatch like every other event, and says what
// became of it. Events, retry, refund and cancel differ only in how the event is written.
import { z } from '@hono/zod-openapi';
import type { UnstampedOrderEvent } from '../../machines/orderEvents.ts';
import type { Verdict } from '../dispatch/envelope.ts';
import { type ErrorCode, PaylatchError } from '../errors.ts';
import type { NewId } from '../ids.ts';
import type { Core, OrderView, PreviewView } from '../ports.ts';
import { versionOf } from './etag.ts';
import { idempotencyKeyField, ifMatchField } from './fields.ts';
import { orderSchema, previewSchema, verdictSchema } from './schemas.ts';
import { strictBody } from './validation.ts';

/** Headers and query of every call that sends an event to an order. */
export const eventHeaders = z.object({
  'idempotency-key': idempotencyKeyField
    .optional()
    .meta({ description: 'Becomes the event key; without it, each call is an event of its own' }),
  'if-match': ifMatchField.optional().meta({ description: 'Only if the order stands at this version' }),
});
export const eventQuery = strictBody({
  dryRun: z.enum(['true', 'false']).optional().meta({ description: 'Decide, write nothing' }),
});
export const sentSchema = z.union([
  z.object({ verdict: verdictSchema, order: orderSchema }).openapi('Sent'),
  previewSchema,
]);

export type EventCall = {
  orderId: string;
  event: UnstampedOrderEvent;
  headers: z.infer<typeof eventHeaders>;
  query: z.infer<typeof eventQuery>;
  /** The code when the order cannot hear it now. */
  refusedAs?: Extract<ErrorCode, 'illegal_event' | 'nothing_to_retry'>;
};

/** What happened, or with dryRun what would. */
export type Sent = { verdict: Verdict; order: OrderView } | (PreviewView & { order?: undefined });

/** @throws NotFound; PaylatchError illegal_event or nothing_to_retry, version_conflict, idempotency_key_reused */
export async function sendEvent({ core, newId }: { core: Core; newId: NewId }, call: EventCall): Promise<Sent> {
  const { orderId, event, headers, query } = call;
  const ifMatch = versionOf(headers['if-match']);
  if (query.dryRun === 'true') return core.orders.preview(orderId, event, ifMatch);
  const { verdict, detail } = await core.dispatch({
    source: 'operator',
    orderId,
    provider: null,
    providerOrderId: null,
    eventKey: headers['idempotency-key'] ?? newId('evt'),
    event,
    received: null,
    ...(ifMatch !== undefined && { ifMatch }),
  });
  const order = await core.orders.get(orderId);
  if (verdict === 'illegal') throw refusal(call, order, detail);
  return { verdict, order };
}

function refusal(
  { event, refusedAs = 'illegal_event' }: EventCall,
  order: OrderView,
  why: string | null,
): PaylatchError {
  const legal = order.legalEvents.join(', ') || 'none';
  const reason = why === null ? '' : ` (${why})`;
  // Legal by its kind, and refused for what it asks.
  const sentence = order.legalEvents.includes(event.type)
    ? `This ${event.type} cannot be done while the order is ${order.state}${reason}.`
    : `${event.type} is not legal while the order is ${order.state}${reason}. Legal are: ${legal}.`;
  return new PaylatchError(refusedAs, sentence, { legalEvents: order.legalEvents, order });
}
