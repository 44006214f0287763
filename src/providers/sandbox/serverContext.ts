// What every part of the sandbox server is given, and the small things they share: saving, ids, instants, refusals.
import type { Clock, RandomSource } from '../../clock.ts';
import type { SandboxOrder } from './serverState.ts';
import type { SandboxStore } from './serverStore.ts';

/** Waiting times of the sandbox, in milliseconds. Tests shorten them instead of waiting. */
export type SandboxTiming = {
  /** Pause before the first repetition of a webhook that was not answered with 2xx; doubled from then on. */
  retryBaseMs: number;
  /** Longest pause between two attempts. */
  retryMaxMs: number;
  /** How much later than the payment the "late" webhook is sent. */
  lateMs: number;
};

export const SANDBOX_TIMING: SandboxTiming = {
  // A service that restarts is back within seconds; somebody watching should not wait longer than it takes.
  retryBaseMs: 1_000,
  retryMaxMs: 10 * 60_000,
  // Long enough to see the customer back at the shop before the webhook, short enough to wait for it.
  lateMs: 5_000,
};

export type SandboxContext = {
  store: SandboxStore;
  clock: Clock;
  random: RandomSource;
  secret: Uint8Array;
  timing: SandboxTiming;
  /** Where customers reach this server, without a slash at its end. */
  publicUrl: () => string;
  /** Keeps a changed order and sends the webhooks it now holds. */
  save(order: SandboxOrder): void;
};

/** A call the sandbox says no to. */
export class SandboxRefusal extends Error {
  readonly status: 400 | 401 | 404 | 409 | 410 | 413 | 415 | 422;
  readonly code: string;

  constructor(status: SandboxRefusal['status'], code: string, detail: string) {
    super(detail);
    this.name = 'SandboxRefusal';
    this.status = status;
    this.code = code;
  }
}

/** A new id that sorts by its time and ends in 80 random bits: `pay_0mk1x8z…`. */
export function newSandboxId(context: Pick<SandboxContext, 'clock' | 'random'>, prefix: string): string {
  const time = context.clock().getTime().toString(36).padStart(9, '0');
  return `${prefix}_${time}${Buffer.from(context.random(10)).toString('hex')}`;
}

/**
 * The instant of the order's next fact, always later than the one before: who compares two states of a refund by time
 * must be able to, even when both were made within one millisecond.
 */
export function nextFactAt(context: Pick<SandboxContext, 'clock'>, order: SandboxOrder): string {
  const earliest = new Date(order.lastFactAt).getTime() + 1;
  order.lastFactAt = new Date(Math.max(context.clock().getTime(), earliest)).toISOString();
  return order.lastFactAt;
}
