// A subscription as somebody would keep it with a calendar on the wall: written apart from machines/periods.ts and
// machines/access.ts, without a fold and without a history. It only knows what is true now.
import { expect } from 'vitest';

const DAY_MS = 86_400_000;

export type NaiveGrant = {
  kind: string;
  paidAtMs: number;
  months: number;
  days: number;
  graceDays: number;
  isLive: boolean;
};
export type NaivePeriod = { fromMs: number; toMs: number; kind: string };
export type NaiveAnswer = {
  access: boolean;
  reason: 'active' | 'trial' | 'in_grace' | 'none';
  until: number | null;
  graceUntil: number | null;
};

const isLeap = (year: number) => (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
const lengthOf = (year: number, month: number) =>
  [31, isLeap(year) ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1] ?? Number.NaN;

/** Leafs through the calendar month by month; the day of the month is the one it was bought on, or the last there is. */
function monthsLater(fromMs: number, months: number): number {
  const [date = '', time = ''] = new Date(fromMs).toISOString().split('T');
  let [year = 0, month = 0] = date.split('-').map(Number);
  const day = Number(date.slice(8));
  for (let n = 0; n < months; n++) {
    month += 1;
    if (month === 13) {
      month = 1;
      year += 1;
    }
  }
  const two = (n: number) => String(n).padStart(2, '0');
  return Date.parse(`${year}-${two(month)}-${two(Math.min(day, lengthOf(year, month)))}T${time}`);
}

export class NaiveSubscription {
  readonly grants: NaiveGrant[] = [];
  isCancelled = false;

  give(grant: Omit<NaiveGrant, 'isLive'>): void {
    this.grants.push({ ...grant, isLive: true });
    if (grant.kind !== 'renewal') this.isCancelled = false;
  }

  /** What each grant that still counts gives, one after the other; null where it does not count. */
  periods(): (NaivePeriod | null)[] {
    let paidUntilMs = Number.NEGATIVE_INFINITY;
    let graceMs = 0;
    let countedFromMs = 0;
    let monthsCounted = 0;
    return this.grants.map(({ kind, paidAtMs, months, days, graceDays, isLive }) => {
      if (!isLive) return null;
      const isLapsed = paidAtMs >= paidUntilMs + graceMs;
      const fromMs = isLapsed ? paidAtMs : paidUntilMs;
      if (isLapsed) [countedFromMs, monthsCounted] = [paidAtMs, 0];
      monthsCounted += months;
      if (months > 0) paidUntilMs = monthsLater(countedFromMs, monthsCounted);
      if (days > 0) {
        paidUntilMs = (months > 0 ? paidUntilMs : fromMs) + days * DAY_MS;
        [countedFromMs, monthsCounted] = [paidUntilMs, 0];
      }
      graceMs = graceDays * DAY_MS;
      return { fromMs, toMs: paidUntilMs, kind };
    });
  }

  /** What whoever asks now is told. */
  ask(nowMs: number): NaiveAnswer {
    const counted = this.periods().filter(period => period !== null);
    const last = counted.at(-1);
    if (!last) return { access: false, reason: 'none', until: null, graceUntil: null };
    const graceMs = (this.grants.findLast(({ isLive }) => isLive)?.graceDays ?? 0) * DAY_MS;
    const graceUntil = this.isCancelled ? last.toMs : last.toMs + graceMs;
    const told = { until: last.toMs, graceUntil };
    if (nowMs < last.toMs) {
      const current = counted.filter(({ fromMs, toMs }) => fromMs <= nowMs && nowMs < toMs);
      expect(current.length, 'two periods at once').toBeLessThan(2);
      return { access: true, reason: current[0]?.kind === 'trial' ? 'trial' : 'active', ...told };
    }
    return nowMs < graceUntil
      ? { access: true, reason: 'in_grace', ...told }
      : { access: false, reason: 'none', ...told };
  }
}
