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
  /** 1 for the first try, counted when it is leased, so that a try that was killed counts too. */
  attempt: number;
  /** An earlier try may have reached the other side: look there before anything is sent again. */
  maybeSent: boolean;
  availableAt: Date;
};

/**
 * `done`: nothing is left to do, `note` says what was found if it was not simply done. `again`: nobody knows, or not yet;
 * tried after a backoff, or at `at`, until the attempts of this effect are used up. `notBefore` only makes the backoff
 * longer: who asks for a second each time must not use up a day of attempts in ten. `untried` is no attempt at all, because
 * something else has to come first. `dead`: the other side said no for good.
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
