ALTER TABLE "artifacts" ADD COLUMN "dropping_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "model_versions" ADD COLUMN "tried_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "model_versions" ADD COLUMN "tries" integer DEFAULT 0 NOT NULL;