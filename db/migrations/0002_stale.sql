ALTER TABLE "model_versions" ADD COLUMN "stale" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "nodes" ADD COLUMN "stale" boolean DEFAULT false NOT NULL;