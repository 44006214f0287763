// Translates the body of a verified Stripe webhook. Nothing in here throws: a signed body that cannot be read is stored
// and looked at by a person, never bounced back at Stripe for days.
import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { ReceivedEvent } from '../provider.ts';
import {
  eventTypeSchema,
  ignored,
  NOT_JSON,
  NOT_USED,
  parseJson,
  sentenceAbout,
  UNREADABLE_TYPE,
  undecodable,
} from '../signedBody.ts';
import { instantOf } from './objects.ts';
import type { Translated } from './translation.ts';
import { LEFT_OUT, TRANSLATIONS } from './webhookTable.ts';

const idSchema = z.string().regex(/^[A-Za-z0-9_]{1,255}$/);
const envelopeSchema = z.object({
  id: idSchema,
  type: eventTypeSchema,
  object: z.unknown().optional(),
  account: z.unknown().optional(),
  created: z.unknown().optional(),
  livemode: z.boolean().optional().catch(undefined),
  data: z.object({ object: z.unknown() }).optional().catch(undefined),
});
const idOnly = z.object({ id: idSchema });
const typeOnly = z.object({ type: eventTypeSchema });

/** `live` is this deployment's mode. */
export function translateWebhook(body: Uint8Array, live: boolean): ReceivedEvent {
  const json = parseJson(body);
  const id = idOnly.safeParse(json);
  const type = typeOnly.safeParse(json);
  const base = {
    // The same bytes give the same key: a redelivery of what cannot be read is still the same event.
    eventKey: id.success ? id.data.id : `sha256:${createHash('sha256').update(body).digest('hex')}`,
    eventType: type.success ? type.data.type : UNREADABLE_TYPE,
    orderId: null,
    providerOrderId: null,
  };
  if (json === undefined) return { ...base, ...undecodable(NOT_JSON) };
  const envelope = envelopeSchema.safeParse(json);
  if (!envelope.success) return { ...base, ...undecodable(sentenceAbout(envelope.error)) };
  return { ...base, ...translated(envelope.data, live) };
}

function translated(envelope: z.infer<typeof envelopeSchema>, live: boolean): Translated {
  const { type, data } = envelope;
  // Thin events of API v2 tell an id and no object; only snapshot events are subscribed to.
  if (envelope.object === 'v2.core.event') return ignored('Events of API v2 carry no object and are not used.');
  if (typeof envelope.account === 'string') return ignored('The event is of a connected account.');
  const translate = TRANSLATIONS.get(type);
  if (translate === undefined) return ignored(LEFT_OUT.get(type) ?? NOT_USED);
  const about = { type, occurredAt: instantOf(envelope.created), live: envelope.livemode };
  try {
    const made = translate(data?.object, about);
    return ofOtherMode(made, envelope.livemode, live) ? ignored('The event is of the other mode, test or live.') : made;
  } catch (error) {
    if (!(error instanceof z.ZodError)) throw error;
    return undecodable(sentenceAbout(error, 'data.object'));
  }
}

/** Payments that came carry their mode and are compared by the machine; all the others carry none and are stopped here. */
function ofOtherMode({ event }: Translated, told: boolean | undefined, live: boolean): boolean {
  const isCompared = event?.type === 'payment.captured' || event?.type === 'payment.authorized';
  return event !== null && !isCompared && told !== undefined && told !== live;
}
