// What the translation of a webhook's object is told and what it answers.
import type { UnstampedOrderEvent } from '../../../machines/orderEvents.ts';

export type EventAbout = {
  type: string;
  /** When Stripe made the event, which is when the object came to be as it is shown. */
  occurredAt: string | undefined;
  /** Of the event; most objects carry their own too. */
  live: boolean | undefined;
};

/** A fact, or nothing with the reason; and the order it is about, where the object names one. */
export type Translated = { orderId?: string | null; providerOrderId?: string | null } & (
  | { event: UnstampedOrderEvent }
  | { event: null; because: 'ignored' | 'undecodable'; detail: string }
);

/** Reads an event's object. @throws ZodError */
export type Translation = (object: unknown, about: EventAbout) => Translated;

export const timeOf = ({ occurredAt }: EventAbout) => (occurredAt === undefined ? {} : { occurredAt });
