// What one endpoint may hold of the lane that all of them are told through, so that one which answers nobody keeps nobody
// else from hearing.
import type { Clock } from '../clock.ts';
import { createShares, type Place } from '../effects/shares.ts';

/** Deliveries to one endpoint at once, in each process: a quarter of the lane. */
export const DELIVERIES_PER_ENDPOINT = 8;
/** Deliveries in a row that got no answer, after which only one at a time tries whether the endpoint is back. */
export const SILENT_AFTER = 5;

export type EndpointShares = {
  /** A place for one delivery, or when to ask again. */
  take(endpointId: string): Promise<Place>;
  /** How a delivery ended: whether the endpoint said anything at all. */
  heard(endpointId: string, answered: boolean): void;
  isSilent(endpointId: string): boolean;
};

/** `promptMs`: see createShares. */
export function createEndpointShares(clock: Clock, promptMs?: number): EndpointShares {
  const shares = createShares(clock, promptMs);
  const unanswered = new Map<string, number>();
  const isSilent = (id: string) => (unanswered.get(id) ?? 0) >= SILENT_AFTER;
  return {
    isSilent,
    take: id => shares.take(id, isSilent(id) ? 1 : DELIVERIES_PER_ENDPOINT, !isSilent(id)),
    heard(id, answered) {
      if (!answered) {
        unanswered.set(id, (unanswered.get(id) ?? 0) + 1);
        return;
      }
      if (isSilent(id)) shares.clearLine(id);
      unanswered.delete(id);
    },
  };
}
