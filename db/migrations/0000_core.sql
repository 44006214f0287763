CREATE TABLE "disputes" (
	"dispute_id" text NOT NULL,
	"provider" text NOT NULL,
	"payment_id" text NOT NULL,
	"state" text NOT NULL,
	"amount_minor" bigint NOT NULL,
	"as_of" timestamp with time zone,
	CONSTRAINT "disputes_dispute_id_provider_pk" PRIMARY KEY("dispute_id","provider")
);
--> statement-breakpoint
CREATE TABLE "findings" (
	"id" text PRIMARY KEY NOT NULL,
	"fingerprint" text NOT NULL,
	"kind" text NOT NULL,
	"severity" text NOT NULL,
	"order_id" text,
	"detail" text NOT NULL,
	"opened_at" timestamp with time zone DEFAULT now() NOT NULL,
	"acknowledged_at" timestamp with time zone,
	"resolved_at" timestamp with time zone,
	CONSTRAINT "findings_fingerprint_unique" UNIQUE("fingerprint")
);
--> statement-breakpoint
CREATE TABLE "grants" (
	"order_id" text PRIMARY KEY NOT NULL,
	"user_id" text NOT NULL,
	"product" text NOT NULL,
	"seq" integer NOT NULL,
	"provider" text,
	"payment_id" text,
	"base_at" timestamp with time zone NOT NULL,
	"months" integer NOT NULL,
	"days" integer NOT NULL,
	"grace_days" integer NOT NULL,
	"starts_at" timestamp with time zone NOT NULL,
	"ends_at" timestamp with time zone NOT NULL,
	"granted_at" timestamp with time zone NOT NULL,
	"revoked_at" timestamp with time zone,
	"revoke_reason" text,
	CONSTRAINT "grants_payment_id_provider_unique" UNIQUE("payment_id","provider"),
	CONSTRAINT "grants_user_id_product_seq_unique" UNIQUE("user_id","product","seq"),
	CONSTRAINT "grants_period_forward" CHECK ("grants"."ends_at" > "grants"."starts_at"),
	CONSTRAINT "grants_seq_positive" CHECK ("grants"."seq" >= 1)
);
--> statement-breakpoint
CREATE TABLE "idempotency_keys" (
	"key" text PRIMARY KEY NOT NULL,
	"request_hash" text NOT NULL,
	"order_id" text NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"opening_until" timestamp with time zone
);
--> statement-breakpoint
CREATE TABLE "inbox" (
	"event_key" text NOT NULL,
	"provider" text NOT NULL,
	"event_type" text NOT NULL,
	"order_id" text,
	"provider_order_id" text,
	"source" text NOT NULL,
	"raw" "bytea" NOT NULL,
	"body_hash" text NOT NULL,
	"headers" jsonb NOT NULL,
	"event" jsonb,
	"received_at" timestamp with time zone DEFAULT now() NOT NULL,
	"verdict" text NOT NULL,
	"detail" text,
	"decided_version" integer,
	"applied_version" integer,
	"deliveries" integer DEFAULT 1 NOT NULL,
	"attempts" integer DEFAULT 0 NOT NULL,
	"next_attempt_at" timestamp with time zone,
	CONSTRAINT "inbox_event_key_provider_pk" PRIMARY KEY("event_key","provider"),
	CONSTRAINT "inbox_verdict_known" CHECK ("inbox"."verdict" in ('applied', 'duplicate', 'stale', 'illegal', 'mismatch', 'surplus', 'unmatched', 'foreign', 'parked', 'ignored'))
);
--> statement-breakpoint
CREATE TABLE "orders" (
	"id" text PRIMARY KEY NOT NULL,
	"kind" text NOT NULL,
	"user_id" text NOT NULL,
	"product" text NOT NULL,
	"plan_id" text NOT NULL,
	"plan" jsonb NOT NULL,
	"provider" text,
	"provider_account" text,
	"live" boolean NOT NULL,
	"provider_order_id" text,
	"provider_subscription_id" text,
	"amount_minor" bigint NOT NULL,
	"currency" text NOT NULL,
	"machine" text NOT NULL,
	"state" text NOT NULL,
	"version" integer NOT NULL,
	"snapshot" jsonb NOT NULL,
	"wake_at" timestamp with time zone,
	"grant_error" text,
	"another" boolean DEFAULT false NOT NULL,
	"return_url" text,
	"metadata" jsonb,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "orders_provider_order_id_provider_unique" UNIQUE("provider_order_id","provider"),
	CONSTRAINT "orders_version_positive" CHECK ("orders"."version" >= 1),
	CONSTRAINT "orders_amount_not_negative" CHECK ("orders"."amount_minor" >= 0),
	CONSTRAINT "orders_free_or_provider" CHECK ("orders"."amount_minor" = 0 or "orders"."provider" is not null)
);
--> statement-breakpoint
CREATE TABLE "outbox" (
	"id" text PRIMARY KEY NOT NULL,
	"order_id" text NOT NULL,
	"order_version" integer NOT NULL,
	"effect" text NOT NULL,
	"payload" jsonb NOT NULL,
	"dedup_key" text NOT NULL,
	"status" text DEFAULT 'pending' NOT NULL,
	"attempts" integer DEFAULT 0 NOT NULL,
	"available_at" timestamp with time zone DEFAULT now() NOT NULL,
	"leased_by" text,
	"leased_until" timestamp with time zone,
	"last_error" text,
	"done_at" timestamp with time zone,
	CONSTRAINT "outbox_dedup_key_unique" UNIQUE("dedup_key"),
	CONSTRAINT "outbox_status_known" CHECK ("outbox"."status" in ('pending', 'done', 'dead'))
);
--> statement-breakpoint
CREATE TABLE "payments" (
	"payment_id" text NOT NULL,
	"provider" text NOT NULL,
	"order_id" text NOT NULL,
	"state" text NOT NULL,
	"currency" text NOT NULL,
	"captured_minor" bigint NOT NULL,
	"refunded_minor" bigint NOT NULL,
	"lost_minor" bigint NOT NULL,
	"counts" boolean NOT NULL,
	"as_of" timestamp with time zone,
	CONSTRAINT "payments_payment_id_provider_pk" PRIMARY KEY("payment_id","provider")
);
--> statement-breakpoint
CREATE TABLE "plans" (
	"id" text PRIMARY KEY NOT NULL,
	"product" text NOT NULL,
	"amount_minor" bigint NOT NULL,
	"currency" text NOT NULL,
	"months" integer NOT NULL,
	"days" integer NOT NULL,
	"grace_days" integer NOT NULL,
	"trial_days" integer NOT NULL,
	"surplus_policy" text NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "plans_amount_positive" CHECK ("plans"."amount_minor" > 0),
	CONSTRAINT "plans_one_period" CHECK (("plans"."months" > 0) <> ("plans"."days" > 0)),
	CONSTRAINT "plans_days_not_negative" CHECK ("plans"."grace_days" >= 0 and "plans"."trial_days" >= 0)
);
--> statement-breakpoint
CREATE TABLE "refunds" (
	"refund_id" text NOT NULL,
	"provider" text NOT NULL,
	"payment_id" text NOT NULL,
	"state" text NOT NULL,
	"amount_minor" bigint NOT NULL,
	"as_of" timestamp with time zone,
	CONSTRAINT "refunds_refund_id_provider_pk" PRIMARY KEY("refund_id","provider")
);
--> statement-breakpoint
CREATE TABLE "subscriptions" (
	"user_id" text NOT NULL,
	"product" text NOT NULL,
	"version" integer NOT NULL,
	"grants" integer NOT NULL,
	"anchor_at" timestamp with time zone,
	"anchor_months" integer NOT NULL,
	"ends_at" timestamp with time zone,
	"grace_days" integer NOT NULL,
	"cancel_at_end" boolean DEFAULT false NOT NULL,
	CONSTRAINT "subscriptions_user_id_product_pk" PRIMARY KEY("user_id","product")
);
--> statement-breakpoint
CREATE TABLE "transitions" (
	"order_id" text NOT NULL,
	"version" integer NOT NULL,
	"event_type" text NOT NULL,
	"event" jsonb NOT NULL,
	"from_state" text,
	"to_state" text NOT NULL,
	"source" text NOT NULL,
	"event_key" text,
	"at" timestamp with time zone NOT NULL,
	CONSTRAINT "transitions_order_id_version_pk" PRIMARY KEY("order_id","version"),
	CONSTRAINT "transitions_source_known" CHECK ("transitions"."source" in ('checkout', 'callback', 'webhook', 'worker', 'sweeper', 'reconcile', 'operator', 'fix'))
);
--> statement-breakpoint
ALTER TABLE "grants" ADD CONSTRAINT "grants_order_id_orders_id_fk" FOREIGN KEY ("order_id") REFERENCES "public"."orders"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "payments" ADD CONSTRAINT "payments_order_id_orders_id_fk" FOREIGN KEY ("order_id") REFERENCES "public"."orders"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "transitions" ADD CONSTRAINT "transitions_order_id_orders_id_fk" FOREIGN KEY ("order_id") REFERENCES "public"."orders"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "disputes_payment_id" ON "disputes" USING btree ("payment_id","provider");--> statement-breakpoint
CREATE INDEX "findings_order_id" ON "findings" USING btree ("order_id");--> statement-breakpoint
CREATE INDEX "idempotency_keys_order_id" ON "idempotency_keys" USING btree ("order_id");--> statement-breakpoint
CREATE INDEX "inbox_order_id" ON "inbox" USING btree ("order_id") WHERE order_id is not null;--> statement-breakpoint
CREATE INDEX "inbox_unmatched" ON "inbox" USING btree ("provider_order_id","provider") WHERE verdict = 'unmatched';--> statement-breakpoint
CREATE INDEX "inbox_unmatched_payment" ON "inbox" USING btree ((event->>'paymentId'),"provider") WHERE verdict = 'unmatched';--> statement-breakpoint
CREATE INDEX "inbox_next_attempt_at" ON "inbox" USING btree ("next_attempt_at") WHERE next_attempt_at is not null;--> statement-breakpoint
CREATE UNIQUE INDEX "orders_one_trial" ON "orders" USING btree ("user_id","product") WHERE kind = 'trial';--> statement-breakpoint
CREATE UNIQUE INDEX "orders_one_open" ON "orders" USING btree ("user_id","plan_id","provider","amount_minor","currency") WHERE state = 'created' and kind = 'purchase' and not another;--> statement-breakpoint
CREATE INDEX "orders_user_id" ON "orders" USING btree ("user_id","id");--> statement-breakpoint
CREATE INDEX "orders_provider_subscription_id" ON "orders" USING btree ("provider_subscription_id","provider") WHERE provider_subscription_id is not null;--> statement-breakpoint
CREATE INDEX "orders_wake_at" ON "orders" USING btree ("wake_at") WHERE wake_at is not null;--> statement-breakpoint
CREATE INDEX "orders_unsettled" ON "orders" USING btree ("id") WHERE state in ('authorized', 'captured', 'parked');--> statement-breakpoint
CREATE INDEX "orders_other_machine" ON "orders" USING btree ("machine","id") WHERE machine <> 'order.v1';--> statement-breakpoint
CREATE INDEX "outbox_order_id" ON "outbox" USING btree ("order_id");--> statement-breakpoint
CREATE INDEX "outbox_dead" ON "outbox" USING btree ("order_id") WHERE status = 'dead';--> statement-breakpoint
CREATE INDEX "outbox_due" ON "outbox" USING btree ("available_at") WHERE status = 'pending';--> statement-breakpoint
CREATE INDEX "payments_order_id" ON "payments" USING btree ("order_id");--> statement-breakpoint
CREATE INDEX "refunds_payment_id" ON "refunds" USING btree ("payment_id","provider");--> statement-breakpoint
CREATE UNIQUE INDEX "transitions_order_id_event_key" ON "transitions" USING btree ("order_id","event_key") WHERE event_key is not null;