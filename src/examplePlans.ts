// The two plans a fresh sandbox starts with, so that there is something to buy.
import type { putPlan } from '../db/plans.ts';

export const EXAMPLE_PLANS: Parameters<typeof putPlan>[1][] = [
  {
    id: 'pro-monthly',
    product: 'pro',
    amountMinor: 49_900,
    currency: 'INR',
    months: 1,
    days: 0,
    graceDays: 3,
    trialDays: 14,
    surplusPolicy: 'refund',
  },
  {
    id: 'pro-yearly',
    product: 'pro',
    amountMinor: 499_000,
    currency: 'INR',
    months: 12,
    days: 0,
    graceDays: 7,
    trialDays: 0,
    surplusPolicy: 'extend',
  },
];
