-- The migrator runs this in one transaction: until its end nobody reads or writes orders. Building the index reads the whole
-- table: 0.6 s at a million orders in memory, so 6 s at ten million, and up to two minutes if they come from a slow disk. Whoever
-- cannot stand still that long builds it beforehand, beside the running service, and then this takes a moment:
--   create index concurrently orders_unsettled_by_state on orders (state, id) where state in ('authorized', 'captured', 'parked');
-- (docs/upgrading.md). What drops comes first: a lock that grew while others wait for the table would meet them in a deadlock.
DROP INDEX "orders_unsettled";--> statement-breakpoint
CREATE INDEX IF NOT EXISTS "orders_unsettled_by_state" ON "orders" USING btree ("state","id") WHERE state in ('authorized', 'captured', 'parked');
