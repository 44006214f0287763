// The one place where time is counted in months and days. Pure, UTC, no clock: the same grants always give the same
// periods, whether asked while granting, while revoking, by the integrity check or for access at some past instant.

const DAY_MS = 86_400_000;

/** What a grant adds: months and days from where the subscription stands, with the grace bought with it. */
export type Bought = { baseAt: Date; months: number; days: number; graceDays: number };

/** Where a subscription stands after its live grants: paid until `endsAt`, counted in months from `anchorAt`. */
export type Fold = { anchorAt: Date; anchorMonths: number; endsAt: Date; graceDays: number };

export type Period = { startsAt: Date; endsAt: Date };

/**
 * `anchor` plus whole months in UTC, the day clamped to the month's last, the time of day kept. Counting from the
 * anchor rather than from the previous end brings 31 Jan → 28 Feb → 31 Mar back to the 31st.
 */
export function addMonths(anchor: Date, months: number): Date {
  const year = anchor.getUTCFullYear();
  const month = anchor.getUTCMonth() + months;
  const lastDay = new Date(Date.UTC(year, month + 1, 0)).getUTCDate();
  const timeOfDay = anchor.getTime() - Date.UTC(year, anchor.getUTCMonth(), anchor.getUTCDate());
  return new Date(Date.UTC(year, month, Math.min(anchor.getUTCDate(), lastDay)) + timeOfDay);
}

/** The end of the grace that follows `fold.endsAt`: access until then, and a payment before it goes on without a gap. */
export function graceEnd(fold: Pick<Fold, 'endsAt' | 'graceDays'>): Date {
  return new Date(fold.endsAt.getTime() + fold.graceDays * DAY_MS);
}

/** True when a payment at `baseAt` goes on from the end of what is already paid, instead of starting anew. */
export function goesOn(fold: Fold | null, baseAt: Date): fold is Fold {
  return fold !== null && baseAt.getTime() < graceEnd(fold).getTime();
}

/**
 * One grant on top of what is there. Going on, it starts where the paid time ends; otherwise at `baseAt`, which becomes
 * the new anchor. Days move the anchor to their end, so a 14-day trial from 17 Jan is followed by 31 Jan → 28 Feb.
 */
export function step(fold: Fold | null, bought: Bought): { fold: Fold } & Period {
  const continued = goesOn(fold, bought.baseAt) ? fold : null;
  const startsAt = continued ? continued.endsAt : bought.baseAt;
  let anchorAt = continued ? continued.anchorAt : bought.baseAt;
  let anchorMonths = continued ? continued.anchorMonths : 0;
  let endsAt = startsAt;
  if (bought.months > 0) {
    anchorMonths += bought.months;
    endsAt = addMonths(anchorAt, anchorMonths);
  }
  if (bought.days > 0) {
    endsAt = new Date(endsAt.getTime() + bought.days * DAY_MS);
    anchorAt = endsAt;
    anchorMonths = 0;
  }
  return { fold: { anchorAt, anchorMonths, endsAt, graceDays: bought.graceDays }, startsAt, endsAt };
}

/** All of these grants, in the order given (`seq`), and the period of each. */
export function foldGrants<G extends Bought>(
  grants: readonly G[],
): { fold: Fold | null; periods: (Period & { grant: G })[] } {
  let fold: Fold | null = null;
  const periods: (Period & { grant: G })[] = [];
  for (const grant of grants) {
    const next = step(fold, grant);
    fold = next.fold;
    periods.push({ grant, startsAt: next.startsAt, endsAt: next.endsAt });
  }
  return { fold, periods };
}
