ALTER TABLE "notification_attempts" ADD COLUMN "retry_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "notification_attempts" ADD COLUMN "reason" text;