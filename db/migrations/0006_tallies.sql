CREATE TABLE "signature_failures" (
	"bucket_at" timestamp with time zone NOT NULL,
	"provider" text NOT NULL,
	"counted_by" text NOT NULL,
	"failures" bigint NOT NULL,
	"latest_at" timestamp with time zone NOT NULL,
	CONSTRAINT "signature_failures_bucket_at_provider_counted_by_pk" PRIMARY KEY("bucket_at","provider","counted_by")
);
--> statement-breakpoint
CREATE TABLE "tallied_payments" (
	"payment_id" text NOT NULL,
	"provider" text NOT NULL,
	"currency" text NOT NULL,
	"captured_minor" bigint NOT NULL,
	"refunded_minor" bigint NOT NULL,
	"lost_minor" bigint NOT NULL,
	CONSTRAINT "tallied_payments_payment_id_provider_pk" PRIMARY KEY("payment_id","provider")
);
--> statement-breakpoint
CREATE TABLE "tallies" (
	"bucket_at" timestamp with time zone NOT NULL,
	"kind" text NOT NULL,
	"provider" text NOT NULL,
	"key" text NOT NULL,
	"currency" text NOT NULL,
	"count" bigint NOT NULL,
	"amount_minor" numeric NOT NULL,
	"latest_at" timestamp with time zone,
	CONSTRAINT "tallies_bucket_at_kind_provider_key_currency_pk" PRIMARY KEY("bucket_at","kind","provider","key","currency")
);
--> statement-breakpoint
CREATE TABLE "tally_cursors" (
	"source" text PRIMARY KEY NOT NULL,
	"version" integer NOT NULL,
	"through_at" timestamp with time zone NOT NULL,
	"checked_at" timestamp with time zone NOT NULL,
	"ran_at" timestamp with time zone NOT NULL
);
--> statement-breakpoint
CREATE INDEX "inbox_received_at" ON "inbox" USING btree ("received_at");--> statement-breakpoint
CREATE INDEX "transitions_at" ON "transitions" USING btree ("at");