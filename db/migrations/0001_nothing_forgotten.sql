CREATE TABLE "endpoints" (
	"id" text PRIMARY KEY NOT NULL,
	"url" text NOT NULL,
	"topics" text,
	"generation" integer DEFAULT 1 NOT NULL,
	"previous_until" timestamp with time zone,
	"disabled_at" timestamp with time zone,
	"disabled_reason" text,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "endpoints_generation_positive" CHECK ("endpoints"."generation" >= 1)
);
--> statement-breakpoint
CREATE TABLE "listings" (
	"provider" text NOT NULL,
	"depth" text NOT NULL,
	"since" timestamp with time zone,
	"cursor" text,
	"started_at" timestamp with time zone,
	"completed_at" timestamp with time zone,
	"completed_started_at" timestamp with time zone,
	"next_at" timestamp with time zone NOT NULL,
	"pages" integer DEFAULT 0 NOT NULL,
	"payments" integer DEFAULT 0 NOT NULL,
	"news" integer DEFAULT 0 NOT NULL,
	"last_error" text,
	"leased_by" text,
	"leased_until" timestamp with time zone,
	CONSTRAINT "listings_provider_depth_pk" PRIMARY KEY("provider","depth"),
	CONSTRAINT "listings_depth_known" CHECK ("listings"."depth" in ('recent', 'deep'))
);
--> statement-breakpoint
CREATE TABLE "notification_attempts" (
	"id" text PRIMARY KEY NOT NULL,
	"notification_id" text NOT NULL,
	"endpoint_id" text NOT NULL,
	"trigger" text NOT NULL,
	"at" timestamp with time zone NOT NULL,
	"status" integer,
	"answer" text,
	"error" text,
	"ms" integer NOT NULL,
	CONSTRAINT "notification_attempts_trigger_known" CHECK ("notification_attempts"."trigger" in ('scheduled', 'manual'))
);
--> statement-breakpoint
DROP INDEX "outbox_due";--> statement-breakpoint
ALTER TABLE "outbox" ALTER COLUMN "order_id" DROP NOT NULL;--> statement-breakpoint
ALTER TABLE "inbox" ADD COLUMN "mark" text;--> statement-breakpoint
ALTER TABLE "inbox" ADD COLUMN "payer_id" text;--> statement-breakpoint
CREATE INDEX "notification_attempts_notification" ON "notification_attempts" USING btree ("notification_id","endpoint_id");--> statement-breakpoint
CREATE INDEX "notification_attempts_endpoint" ON "notification_attempts" USING btree ("endpoint_id","id");--> statement-breakpoint
CREATE INDEX "inbox_unmatched_mark" ON "inbox" USING btree ("mark","provider") WHERE verdict = 'unmatched' and mark is not null;--> statement-breakpoint
CREATE INDEX "outbox_pending" ON "outbox" USING btree ("order_id","order_version","id") WHERE status = 'pending';--> statement-breakpoint
CREATE INDEX "outbox_notify" ON "outbox" USING btree ("id") WHERE effect = 'notify';--> statement-breakpoint
CREATE INDEX "outbox_due" ON "outbox" USING btree ("available_at","id") WHERE status = 'pending';