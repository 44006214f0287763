DROP INDEX "inbox_unmatched_mark";--> statement-breakpoint
DROP INDEX "inbox_unmatched";--> statement-breakpoint
DROP INDEX "inbox_unmatched_payment";--> statement-breakpoint
DROP INDEX "inbox_next_attempt_at";--> statement-breakpoint
DROP INDEX "orders_wake_at";--> statement-breakpoint
CREATE INDEX "findings_open" ON "findings" USING btree ("id") WHERE resolved_at is null;--> statement-breakpoint
CREATE INDEX "inbox_unmatched_payer" ON "inbox" USING btree ("payer_id","provider") WHERE verdict in ('unmatched', 'foreign');--> statement-breakpoint
CREATE INDEX "inbox_unmatched_subscription" ON "inbox" USING btree ((event->>'subscriptionId'),"provider") WHERE verdict in ('unmatched', 'foreign');--> statement-breakpoint
CREATE INDEX "inbox_unmatched_received" ON "inbox" USING btree ("received_at","event_key","provider") WHERE verdict = 'unmatched';--> statement-breakpoint
CREATE INDEX "inbox_foreign_received" ON "inbox" USING btree ("received_at","event_key","provider") WHERE verdict = 'foreign';--> statement-breakpoint
CREATE INDEX "inbox_parked_received" ON "inbox" USING btree ("received_at","event_key","provider") WHERE verdict = 'parked';--> statement-breakpoint
CREATE INDEX "inbox_unmatched_mark" ON "inbox" USING btree ("mark","provider") WHERE verdict in ('unmatched', 'foreign');--> statement-breakpoint
CREATE INDEX "inbox_unmatched" ON "inbox" USING btree ("provider_order_id","provider") WHERE verdict in ('unmatched', 'foreign');--> statement-breakpoint
CREATE INDEX "inbox_unmatched_payment" ON "inbox" USING btree ((event->>'paymentId'),"provider") WHERE verdict in ('unmatched', 'foreign');--> statement-breakpoint
CREATE INDEX "inbox_next_attempt_at" ON "inbox" USING btree ("next_attempt_at","event_key","provider") WHERE next_attempt_at is not null;--> statement-breakpoint
CREATE INDEX "orders_wake_at" ON "orders" USING btree ("wake_at","id") WHERE wake_at is not null;