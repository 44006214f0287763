// Whether the inspector is fast enough, judged by what was measured: good, bad, or not to be told on this machine now.
import type { CheckedPlan } from './inspectorPlans.ts';
import { quantile } from './measure.ts';

/** What a page may take at its 95th percentile, in ms. */
export const LIMIT_MS = 100;
/** What the yardsticks take at their 95th percentile on a machine that has time, in ms. */
export const QUIET_MS = 5;
/** What the process ends with. A run that broke off ends with 1 too. */
export const EXIT_CODES = { good: 0, bad: 1, undecided: 2 } as const;

/** `ms` by the clock; `busyMs` of CPU in service and database together, empty where nobody tells. */
export type Timed = { group: string; name: string; ms: number[]; busyMs: number[]; bytes: number };
export type Measured = { pages: readonly Timed[]; yardsticks: readonly Timed[]; plans: readonly CheckedPlan[] };

export type Judged = {
  verdict: keyof typeof EXIT_CODES;
  /** Other programs kept even those waiting that need nothing. */
  noisy: boolean;
  /** Too slow, and nobody else's fault. */
  slow: Timed[];
  /** Slow by the clock but not by their work, while others worked too: neither good nor bad. */
  undecided: Timed[];
  badPlans: CheckedPlan[];
};

export const p95 = ({ ms }: Pick<Timed, 'ms'>): number => quantile(ms, 0.95);
export const busyP95 = ({ busyMs }: Pick<Timed, 'busyMs'>): number => quantile(busyMs, 0.95);

/** Good is only what was under the limit by the clock: work that nobody saw finish in time proves nothing. */
export function judge({ pages, yardsticks, plans }: Measured): Judged {
  const noisy = yardsticks.some(one => p95(one) > QUIET_MS);
  const isLate = (page: Timed) => p95(page) >= LIMIT_MS;
  const isMuchWork = (page: Timed) => page.busyMs.length > 0 && busyP95(page) >= LIMIT_MS;
  const slow = pages.filter(page => isMuchWork(page) || (isLate(page) && !noisy));
  const undecided = pages.filter(page => isLate(page) && !slow.includes(page));
  const badPlans = plans.filter(({ problems }) => problems.length > 0);
  const isBad = slow.length + badPlans.length > 0;
  return { verdict: isBad ? 'bad' : undecided.length > 0 ? 'undecided' : 'good', noisy, slow, undecided, badPlans };
}
