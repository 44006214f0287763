// Column types that several tables share.
import { bigint, customType, timestamp } from 'drizzle-orm/pg-core';

export const bytea = customType<{ data: Uint8Array }>({ dataType: () => 'bytea' });

/** An instant, in UTC. */
export const instant = (name: string) => timestamp(name, { withTimezone: true, mode: 'date' });

/** An amount in minor units of its currency. Amounts stay below 2^53, so that a JavaScript number holds them exactly. */
export const minor = (name: string) => bigint(name, { mode: 'number' });
