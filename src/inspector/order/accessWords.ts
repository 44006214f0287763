// Why a user may use a product at an instant, or why not: the answer of machines/access.ts, and what each grant
// contributed to it. Pure.
import type { GrantRow } from '../../../db/inspect/orderPageRows.ts';
import { type Access, accessAt, type KnownGrant } from '../../../machines/access.ts';
import type { Words } from './waitsFor.ts';

export type GrantAt = {
  grant: GrantRow;
  /** The period as it was at that instant; null where the grant was not known or had been revoked. */
  startsAt: string | null;
  endsAt: string | null;
  tone: 'good' | 'quiet' | 'bad' | 'held';
  word: string;
  why: Words;
};

export type AccessExplained = { access: boolean; headline: Words; steps: Words[]; grants: GrantAt[] };

/** `cancelAtEnd` as the subscription stands now. */
export function explainAccess(rows: readonly GrantRow[], at: Date, cancelAtEnd: boolean): AccessExplained {
  const answer = accessAt(rows.map(known), at, { cancelAtEnd });
  return {
    access: answer.access,
    headline: headlineOf(answer, rows),
    steps: stepsOf(answer, rows, at, cancelAtEnd),
    grants: rows.map(row => grantAt(row, answer, at)),
  };
}

const known = (row: GrantRow): KnownGrant => ({
  ...row,
  baseAt: new Date(row.baseAt),
  startsAt: new Date(row.startsAt),
  endsAt: new Date(row.endsAt),
  grantedAt: new Date(row.grantedAt),
  revokedAt: row.revokedAt === null ? null : new Date(row.revokedAt),
});

const on = (date: Date | null) => ({ at: date?.toISOString() ?? '' });

function headlineOf({ reason, until, graceUntil }: Access, rows: readonly GrantRow[]): Words {
  switch (reason) {
    case 'active':
      return ['Yes, paid until ', on(until), '.'];
    case 'trial':
      return ['Yes, on trial until ', on(until), '.'];
    case 'in_grace':
      return ['Yes, in grace: what was paid ended on ', on(until), ', the days of grace end on ', on(graceUntil), '.'];
    case 'expired':
      return ['No, what was paid ended on ', on(until), '.'];
    case 'refunded':
      return ['No, the money for it went back.'];
    case 'never_paid':
      return [rows.length === 0 ? 'No, nothing was ever granted.' : 'No, nothing had been granted by then.'];
  }
}

function stepsOf(
  { access, until, graceUntil, reason, grants }: Access,
  rows: readonly GrantRow[],
  at: Date,
  cancelAtEnd: boolean,
): Words[] {
  const iso = at.toISOString();
  const steps: Words[] = [];
  const covering = grants.find(grant => grant.startsAt <= at && at < grant.endsAt);
  if (covering)
    steps.push([
      `Grant ${covering.seq} covers this instant: `,
      on(covering.startsAt),
      ' to ',
      on(covering.endsAt),
      '.',
    ]);
  else if (until && at < until) steps.push(['It lies before the first paid period, inside what is paid.']);
  else if (until) steps.push(['No grant covers this instant: the last paid period ended on ', on(until), '.']);
  if (until && graceUntil && at >= until && graceUntil > until)
    steps.push([access ? 'The days of grace still run, until ' : 'The days of grace ended on ', on(graceUntil), '.']);
  if (until && graceUntil && at >= until && graceUntil.getTime() === until.getTime())
    steps.push([
      cancelAtEnd ? 'It was cancelled at its end, so there are no days of grace.' : 'The plan has no days of grace.',
    ]);
  for (const row of rows.filter(row => row.revokedAt !== null && row.revokedAt <= iso && row.grantedAt <= iso)) {
    steps.push([
      `Grant ${row.seq} does not count: revoked on `,
      { at: row.revokedAt ?? '' },
      ` (${row.revokeReason ?? 'no reason noted'}).`,
    ]);
  }
  if (reason === 'refunded' && until)
    steps.push(['Had the money not gone back, there would be access: that is the reason, not the calendar.']);
  const later = rows.filter(row => row.grantedAt > iso);
  if (later.length > 0)
    steps.push([
      `${later.length === 1 ? 'One grant was' : `${later.length} grants were`} given only later, the first on `,
      { at: later[0]?.grantedAt ?? '' },
      '.',
    ]);
  return steps;
}

function grantAt(grant: GrantRow, answer: Access, at: Date): GrantAt {
  const iso = at.toISOString();
  const none = { grant, startsAt: null, endsAt: null };
  if (grant.grantedAt > iso)
    return { ...none, tone: 'quiet', word: 'later', why: ['given only on ', { at: grant.grantedAt }] };
  if (grant.revokedAt !== null && grant.revokedAt <= iso)
    return {
      ...none,
      tone: 'bad',
      word: 'revoked',
      why: [`${grant.revokeReason ?? 'no reason noted'}, on `, { at: grant.revokedAt }],
    };
  const dated = answer.grants.find(({ orderId }) => orderId === grant.orderId);
  const startsAt = dated?.startsAt.toISOString() ?? grant.startsAt;
  const endsAt = dated?.endsAt.toISOString() ?? grant.endsAt;
  const own = { grant, startsAt, endsAt };
  if (iso < startsAt) return { ...own, tone: 'held', word: 'ahead', why: ['starts when the time before it ends'] };
  if (iso < endsAt)
    return { ...own, tone: 'good', word: 'covers it', why: ['this is the paid period of that instant'] };
  return { ...own, tone: 'quiet', word: 'over', why: ['its period had ended'] };
}
