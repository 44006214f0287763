DROP INDEX "outbox_due_provider";--> statement-breakpoint
CREATE INDEX "outbox_due_closing" ON "outbox" USING btree ("available_at","id") WHERE status = 'pending' and effect = 'close';--> statement-breakpoint
CREATE INDEX "outbox_due_provider" ON "outbox" USING btree ("available_at","id") WHERE status = 'pending' and effect in ('open', 'capture', 'void', 'refund');