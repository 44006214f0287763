// Why a user may use a product at an instant, or why not: the answer of machines/access.ts, and what each grant
// contributed to it. Pure.
import type { GrantRow, SubscriptionRow } from '../../../db/inspect/orderPageRows.ts';
import type { CancellationRow } from '../../../db/users.ts';
import {
  type Access,
  accessAt,
  cancellationAt,
  isCancelledSinceUnknown,
  type KnownGrant,
  revocationAt,
} from '../../../machines/access.ts';
import { cancelledFrom, knownBy, restorationsFrom } from '../../subscriptionPast.ts';
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

/** Of the subscription: how it was cancelled at its end. */
export type CancelledRow = Pick<SubscriptionRow, 'cancelAtEnd' | 'cancellations'>;

export function explainAccess(rows: readonly GrantRow[], at: Date, cancelled: CancelledRow): AccessExplained {
  return explained(rows, rows.map(known), at, cancelled);
}

/** The same for now, as the API answers it: whatever is written counts, also by a clock that is ahead of this one. */
export function explainAccessNow(rows: readonly GrantRow[], now: Date, cancelled: CancelledRow): AccessExplained {
  return explained(rows, knownBy(rows.map(known), now), now, cancelled);
}

function explained(
  rows: readonly GrantRow[],
  grants: readonly KnownGrant[],
  at: Date,
  cancelled: CancelledRow,
): AccessExplained {
  const answer = accessAt(grants, at, cancelledFrom(cancelled));
  return {
    access: answer.access,
    headline: headlineOf(answer, rows),
    steps: [
      ...periodSteps(answer, at),
      ...graceSteps(answer, grants, at, cancelled),
      ...revocationSteps(grants, at),
      ...laterSteps(answer, grants, at),
    ],
    grants: grants.map((grant, index) => grantAt(rows[index] as GrantRow, grant, answer, at)),
  };
}

/** Who wished to end it, and why. */
export const whoWished = ({ by, reason }: CancellationRow): string => (by ? `by ${by}: ${reason}` : reason);

const known = (row: GrantRow): KnownGrant => ({
  ...row,
  baseAt: new Date(row.baseAt),
  startsAt: new Date(row.startsAt),
  endsAt: new Date(row.endsAt),
  grantedAt: new Date(row.grantedAt),
  revokedAt: row.revokedAt === null ? null : new Date(row.revokedAt),
  restorations: restorationsFrom(row.restorations),
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

function periodSteps({ until, grants }: Access, at: Date): Words[] {
  const covering = grants.find(grant => grant.startsAt <= at && at < grant.endsAt);
  if (covering)
    return [[`Grant ${covering.seq} covers this instant: `, on(covering.startsAt), ' to ', on(covering.endsAt), '.']];
  if (!until) return [];
  if (at < until) return [['It lies before the first paid period, inside what is paid.']];
  return [['No grant covers this instant: the last paid period ended on ', on(until), '.']];
}

function graceSteps(
  { access, until, graceUntil }: Access,
  grants: readonly KnownGrant[],
  at: Date,
  cancelled: CancelledRow,
): Words[] {
  if (!until || !graceUntil) return [];
  const wishAt = cancellationAt(grants, at, cancelledFrom(cancelled))?.at.toISOString();
  const wish = cancelled.cancellations.find(({ at }) => at === wishAt);
  const isOver = at >= until;
  if (wish)
    return [
      [
        'It had been cancelled at its end on ',
        wish,
        ` (${whoWished(wish)})${isOver ? ', so there were no days of grace.' : ', so no days of grace follow.'}`,
      ],
    ];
  if (!isOver) return [];
  if (graceUntil > until)
    return [
      [access ? 'The days of grace still run, until ' : 'The days of grace ended on ', on(graceUntil), '.'],
      ...cancelledLater(at, cancelled),
    ];
  const isUnknown = isCancelledSinceUnknown(grants, cancelledFrom(cancelled));
  return [
    [
      isUnknown
        ? 'It is cancelled at its end (since when was not noted), so there are no days of grace.'
        : 'The plan has no days of grace.',
    ],
  ];
}

/** Whoever was told something else since asks why: the cancellation that came after this instant. */
function cancelledLater(at: Date, { cancellations }: CancelledRow): Words[] {
  const later = cancellations.find(wish => new Date(wish.at) > at);
  return later ? [['It was cancelled at its end only later, on ', later, '.']] : [];
}

function revocationSteps(grants: readonly KnownGrant[], at: Date): Words[] {
  return grants.flatMap((grant): Words[] => {
    const revocation = grant.grantedAt <= at ? revocationAt(grant, at) : null;
    if (!revocation) return [];
    const since = [`Grant ${grant.seq} does not count: revoked on `, on(revocation.revokedAt)];
    if (!revocation.restoredAt) return [[...since, ` (${grant.revokeReason ?? 'no reason noted'}).`]];
    return [[...since, '. The money came back, and with it the grant, on ', on(revocation.restoredAt), '.']];
  });
}

function laterSteps({ until, reason }: Access, grants: readonly KnownGrant[], at: Date): Words[] {
  const steps: Words[] = [];
  if (reason === 'refunded' && until)
    steps.push(['Had the money not gone back, there would be access: that is the reason, not the calendar.']);
  const later = grants.filter(grant => grant.grantedAt > at);
  if (later.length > 0)
    steps.push([
      `${later.length === 1 ? 'One grant was' : `${later.length} grants were`} given only later, the first on `,
      on(later[0]?.grantedAt ?? null),
      '.',
    ]);
  return steps;
}

function grantAt(row: GrantRow, grant: KnownGrant, answer: Access, at: Date): GrantAt {
  const none = { grant: row, startsAt: null, endsAt: null };
  if (grant.grantedAt > at)
    return { ...none, tone: 'quiet', word: 'later', why: ['given only on ', { at: row.grantedAt }] };
  const revocation = revocationAt(grant, at);
  if (revocation?.restoredAt)
    return {
      ...none,
      tone: 'bad',
      word: 'revoked',
      why: ['from ', on(revocation.revokedAt), ' until the money came back on ', on(revocation.restoredAt)],
    };
  if (revocation)
    return {
      ...none,
      tone: 'bad',
      word: 'revoked',
      why: [`${grant.revokeReason ?? 'no reason noted'}, on `, on(revocation.revokedAt)],
    };
  const dated = answer.grants.find(({ orderId }) => orderId === grant.orderId) ?? grant;
  const own = { grant: row, startsAt: dated.startsAt.toISOString(), endsAt: dated.endsAt.toISOString() };
  if (at < dated.startsAt) return { ...own, tone: 'held', word: 'ahead', why: ['starts when the time before it ends'] };
  if (at < dated.endsAt)
    return { ...own, tone: 'good', word: 'covers it', why: ['this is the paid period of that instant'] };
  return { ...own, tone: 'quiet', word: 'over', why: ['its period had ended'] };
}
