// Stripe's lists: by when a thing was made, the newest first, paged on by the last id of the page before. Every official SDK
// types them alike (stripe-node, resources/PaymentIntents, Disputes and Refunds: `created`, `limit`, `starting_after`).
import type Stripe from 'stripe';
import { z } from 'zod';
import { providerIdSchema } from '../../../machines/orderEvents.ts';
import type { StripeApi } from './api.ts';

/** Objects asked for at once, the most Stripe gives; the next page follows. */
export const PAGE_SIZE = 100;

/** What is needed to page on stands apart: an object that cannot be read must not hide the others. */
export const pageSchema = z.object({ data: z.array(z.looseObject({ id: providerIdSchema })), has_more: z.boolean() });

type ListCall = { created: { gte: number }; limit: number; starting_after?: string };
/** One of the SDK's lists. */
export type AskForList = (stripe: Stripe, call: ListCall) => Promise<unknown>;

/** A page of what was made since; `cursor` null begins and, in the answer, ends. @throws StripeSaidNo, ProviderUnreachable */
export async function madeSince<T extends { id: string }>(
  api: StripeApi,
  schema: z.ZodType<{ data: T[]; has_more: boolean }>,
  { since, cursor }: { since: Date; cursor: string | null },
  list: AskForList,
): Promise<{ data: T[]; cursor: string | null }> {
  const created = { gte: Math.floor(since.getTime() / 1_000) };
  const call = { created, limit: PAGE_SIZE, ...(cursor !== null && { starting_after: cursor }) };
  const { data, has_more } = await api.ask(schema, stripe => list(stripe, call));
  return { data, cursor: (has_more && data.at(-1)?.id) || null };
}
