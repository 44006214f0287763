DROP INDEX "outbox_due";--> statement-breakpoint
CREATE INDEX "outbox_due_provider" ON "outbox" USING btree ("available_at","id") WHERE status = 'pending' and effect in ('open', 'close', 'capture', 'void', 'refund');--> statement-breakpoint
CREATE INDEX "outbox_due_question" ON "outbox" USING btree ("available_at","id") WHERE status = 'pending' and effect = 'reconcile';--> statement-breakpoint
CREATE INDEX "outbox_due_merchant" ON "outbox" USING btree ("available_at","id") WHERE status = 'pending' and effect = 'notify';--> statement-breakpoint
CREATE INDEX "outbox_due_operator" ON "outbox" USING btree ("available_at","id") WHERE status = 'pending' and effect = 'alert';