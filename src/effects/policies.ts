// How long each effect is kept up before a person is called, and how many of each run at once.
import { LANE_NAMES, LANES, type Lane } from '../../db/outbox.ts';
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

/** About an hour at most: a provider's outage of some minutes passes; after that the order's own deadline asks, and revives it. */
const AT_PROVIDER: EffectPolicy = {
  maxAttempts: 12,
  firstPauseMs: 2 * SECOND_MS,
  growth: 2,
  maxPauseMs: 30 * MINUTE_MS,
  leaseMs: PROVIDER_LEASE_MS,
};

/**
 * A session that stays open costs nothing until somebody pays in it, and then the payment is heard: days of trying, so that
 * an outage does not leave hundreds of orders for a person to look at.
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
  // As often as the chart asks before a human must decide; when, the handler says itself. These times hold where it does not.
  reconcile: {
    maxAttempts: 7,
    firstPauseMs: 5 * MINUTE_MS,
    growth: 12,
    maxPauseMs: 24 * HOUR_MS,
    leaseMs: PROVIDER_LEASE_MS,
  },
  // From seconds to a day, about a day in all, so that a merchant's lost weekend evening loses no message.
  notify: {
    maxAttempts: 10,
    firstPauseMs: 5 * SECOND_MS,
    growth: 4,
    maxPauseMs: 24 * HOUR_MS,
    leaseMs: MESSAGE_LEASE_MS,
  },
  // Somebody has to be told: from seconds to an hour, about three hours at most; the finding stays either way.
  alert: {
    maxAttempts: 10,
    firstPauseMs: 5 * SECOND_MS,
    growth: 3,
    maxPauseMs: HOUR_MS,
    leaseMs: MESSAGE_LEASE_MS,
  },
};

/** Effects of each lane that run at once, of their own, so that a slow merchant never takes the place of a refund. */
export const LANE_WIDTH: Readonly<Record<Lane, number>> = {
  /** Some calls under way at a provider, well below what providers begin to refuse. */
  provider: 8,
  /** Beside those, and nobody waits for it. */
  closing: 4,
  /** Asking is never as urgent as what is asked about. */
  question: 4,
  /** Most of the time these wait for somebody else's server, or there is nobody to tell at all. */
  merchant: 32,
  operator: 4,
};

const LANE_OF = Object.fromEntries(
  LANE_NAMES.flatMap(lane => LANES[lane].map((effect): [EffectName, Lane] => [effect, lane])),
) as Record<EffectName, Lane>;

export const laneOf = (effect: EffectName): Lane => LANE_OF[effect];
