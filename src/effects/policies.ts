// How long each effect is tried before a person is called, and how many of each kind run at once.
import { LANE_NAMES, LANES, type Lane } from '../../db/outbox.ts';
import { MAX_ASKED } from '../../machines/askSchedule.ts';
import type { EffectName } from '../../machines/orderSetup.ts';
import type { Backoff } from './backoff.ts';

const SECOND_MS = 1_000;
const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;

export type EffectPolicy = Backoff & {
  /** Tries before it is dead. */
  maxAttempts: number;
  /** How long nobody else may run it, in ms: longer than its handler can take. */
  leaseMs: number;
};

/** A handler asks, sends and sends events: a few provider calls in a row, each at most 7 s. */
const PROVIDER_LEASE_MS = MINUTE_MS;
/** One message to each of the merchant's endpoints, side by side, and its answer. */
const MESSAGE_LEASE_MS = MINUTE_MS;

/**
 * Tried for about an hour at most: by then an outage of some minutes is over, and after a longer one the order's own
 * deadline asks again and revives it.
 */
const AT_PROVIDER: EffectPolicy = {
  maxAttempts: 12,
  firstPauseMs: 2 * SECOND_MS,
  growth: 2,
  maxPauseMs: 30 * MINUTE_MS,
  leaseMs: PROVIDER_LEASE_MS,
};

/**
 * Tried for days, so that an outage does not leave hundreds of orders for a person to look at: a session that stays open
 * does no harm until somebody pays in it, and that payment would be heard of.
 */
const CLOSING: EffectPolicy = { ...AT_PROVIDER, maxAttempts: 18, maxPauseMs: 12 * HOUR_MS };

export const EFFECT_POLICIES: Readonly<Record<EffectName, EffectPolicy>> = {
  open: AT_PROVIDER,
  close: CLOSING,
  capture: AT_PROVIDER,
  void: AT_PROVIDER,
  // Nothing else asks for a refund again, and the customer can wait a little for money: about four hours at most.
  refund: {
    maxAttempts: 15,
    firstPauseMs: 2 * SECOND_MS,
    growth: 2,
    maxPauseMs: HOUR_MS,
    leaseMs: PROVIDER_LEASE_MS,
  },
  // As many attempts as the schedule has questions. The handler names the time of each; these pauses hold where it cannot.
  reconcile: {
    maxAttempts: MAX_ASKED,
    firstPauseMs: 5 * MINUTE_MS,
    growth: 12,
    maxPauseMs: 24 * HOUR_MS,
    leaseMs: PROVIDER_LEASE_MS,
  },
  // From seconds to a day, about a day in all, so that a merchant whose server is down for an evening misses no message.
  notify: {
    maxAttempts: 10,
    firstPauseMs: 5 * SECOND_MS,
    growth: 4,
    maxPauseMs: 24 * HOUR_MS,
    leaseMs: MESSAGE_LEASE_MS,
  },
  // From seconds to an hour, about three hours at most. The finding stays open whether or not the alert could be told.
  alert: {
    maxAttempts: 10,
    firstPauseMs: 5 * SECOND_MS,
    growth: 3,
    maxPauseMs: HOUR_MS,
    leaseMs: MESSAGE_LEASE_MS,
  },
};

/**
 * How many effects of each lane run at once. Each lane has places of its own, so that a slow merchant never takes that
 * of a refund.
 */
export const LANE_WIDTH: Readonly<Record<Lane, number>> = {
  /** A few calls under way at a provider: well below the rate at which providers begin to refuse. */
  provider: 8,
  /** Apart from those, because nobody waits for a session to be closed. */
  closing: 4,
  /** Questions are never as urgent as the effects that move money. */
  question: 4,
  /** Many, because these mostly wait for somebody else's server, or have nobody to tell. */
  merchant: 32,
  operator: 4,
};

const LANE_OF = Object.fromEntries(
  LANE_NAMES.flatMap(lane => LANES[lane].map((effect): [EffectName, Lane] => [effect, lane])),
) as Record<EffectName, Lane>;

export const laneOf = (effect: EffectName): Lane => LANE_OF[effect];
