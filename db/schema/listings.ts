// How far each provider's lists were read.
import { sql } from 'drizzle-orm';
import { check, integer, pgTable, primaryKey, text } from 'drizzle-orm/pg-core';
import { instant } from './columns.ts';

/** How far the list of a provider's recent payments was read: one row a provider and kind of run, so that a restart goes on. */
export const listings = pgTable(
  'listings',
  {
    provider: text('provider').notNull(),
    /** `recent`, often and over little; or `deep`, rarely and over weeks. */
    depth: text('depth').notNull(),
    /** Of the run that is under way, or was the last: its lower bound, the provider's cursor (null at its first page), and when it began. */
    since: instant('since'),
    cursor: text('cursor'),
    startedAt: instant('started_at'),
    /** When a run last came to the end, and when that one had begun: the next one looks back to there. */
    completedAt: instant('completed_at'),
    completedStartedAt: instant('completed_started_at'),
    nextAt: instant('next_at').notNull(),
    pages: integer('pages').notNull().default(0),
    payments: integer('payments').notNull().default(0),
    /** How many of them told us something new. */
    news: integer('news').notNull().default(0),
    lastError: text('last_error'),
    leasedBy: text('leased_by'),
    leasedUntil: instant('leased_until'),
  },
  t => [
    primaryKey({ columns: [t.provider, t.depth] }),
    check('listings_depth_known', sql`${t.depth} in ('recent', 'deep')`),
  ],
);
