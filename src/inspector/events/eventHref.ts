// The address of one event's page, the same for events with and without an order.
import type { EventRef } from '../../../db/inbox.ts';

export const eventHref = ({ provider, eventKey }: EventRef): string =>
  `/inspector/events/${encodeURIComponent(provider)}/${encodeURIComponent(eventKey)}`;
