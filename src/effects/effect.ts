// An effect on its way: what the worker leases, what a handler does with it, and how it can end.
import type { EffectName } from '../../machines/orderSetup.ts';

/** An outbox row that this worker alone may carry out until its lease ends. */
export type LeasedEffect = {
  id: string;
  /** Null when it is about the service and not about one order. */
  orderId: string | null;
  orderVersion: number;
  effect: EffectName;
  payload: Record<string, unknown>;
  /** The idempotency key at the other side, the same for ever. */
  dedupKey: string;
  /** 1 for the first try. Counted when it is leased, so that a try whose process was killed counts, too. */
  attempt: number;
  /** An earlier try may have reached the other side: look there before anything is sent again. */
  maybeSent: boolean;
  availableAt: Date;
};

/**
 * How one run of an effect ended.
 * - `done`: nothing is left to do. `note` says what was found where it was not simply carried out.
 * - `again`: nobody knows, or not yet. It is tried again after a backoff, or at `at`, until its attempts are used up.
 *   `notBefore` can only make the backoff longer: another side that asks for a second of patience each time must not use up
 *   a day of attempts in ten seconds. `untried` does not count as an attempt, because something else has to come first.
 * - `dead`: the other side said no for good.
 */
export type EffectEnd =
  | { end: 'done'; note?: string }
  | { end: 'again'; error: string; at?: Date }
  | { end: 'again'; error: string; notBefore: Date }
  | { end: 'again'; error: string; at: Date; untried: true }
  | { end: 'dead'; error: string };

/** Carries one effect out. What it throws is `again`, except ProviderRefused, which is `dead`. */
export type EffectHandler = (effect: LeasedEffect) => Promise<EffectEnd>;
export type EffectHandlers = Readonly<Record<EffectName, EffectHandler>>;
