CREATE INDEX "inbox_illegal_received" ON "inbox" USING btree ("received_at","event_key","provider") WHERE verdict = 'illegal';--> statement-breakpoint
CREATE INDEX "inbox_mismatch_received" ON "inbox" USING btree ("received_at","event_key","provider") WHERE verdict = 'mismatch';--> statement-breakpoint
CREATE INDEX "inbox_surplus_received" ON "inbox" USING btree ("received_at","event_key","provider") WHERE verdict = 'surplus';--> statement-breakpoint
CREATE INDEX "inbox_stale_received" ON "inbox" USING btree ("received_at","event_key","provider") WHERE verdict = 'stale';--> statement-breakpoint
CREATE INDEX "inbox_ignored_received" ON "inbox" USING btree ("received_at","event_key","provider") WHERE verdict = 'ignored';--> statement-breakpoint
CREATE INDEX "orders_created_at" ON "orders" USING btree ("created_at","id");