CREATE TABLE "artifacts" (
	"sha256" text PRIMARY KEY NOT NULL,
	"bytes" bigint NOT NULL,
	"stored_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "upload_parts" (
	"handle" text NOT NULL,
	"number" integer NOT NULL,
	"etag" text NOT NULL,
	CONSTRAINT "upload_parts_handle_number_pk" PRIMARY KEY("handle","number")
);
--> statement-breakpoint
CREATE TABLE "uploads" (
	"sha256" text PRIMARY KEY NOT NULL,
	"bytes" bigint NOT NULL,
	"part_bytes" integer NOT NULL,
	"handle" text NOT NULL,
	"created_by" text NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"completing_at" timestamp with time zone,
	CONSTRAINT "uploads_handle_unique" UNIQUE("handle")
);
--> statement-breakpoint
ALTER TABLE "model_versions" ADD COLUMN "status" text DEFAULT 'announced' NOT NULL;--> statement-breakpoint
ALTER TABLE "model_versions" ADD COLUMN "problem" jsonb;--> statement-breakpoint
ALTER TABLE "model_versions" ADD COLUMN "created_by" text;--> statement-breakpoint
ALTER TABLE "model_versions" ADD COLUMN "deprecated" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "model_versions" ADD COLUMN "changed_at" timestamp with time zone DEFAULT now() NOT NULL;--> statement-breakpoint
ALTER TABLE "models" ADD COLUMN "owner" text;--> statement-breakpoint
ALTER TABLE "models" ADD COLUMN "contact" text;--> statement-breakpoint
ALTER TABLE "models" ADD COLUMN "description" text DEFAULT '' NOT NULL;--> statement-breakpoint
ALTER TABLE "models" ADD COLUMN "environment" text;--> statement-breakpoint
ALTER TABLE "models" ADD COLUMN "created_by" text;--> statement-breakpoint
ALTER TABLE "models" ADD COLUMN "registered_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "models" ADD COLUMN "deleted_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "upload_parts" ADD CONSTRAINT "upload_parts_handle_uploads_handle_fk" FOREIGN KEY ("handle") REFERENCES "public"."uploads"("handle") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "model_versions_changed_at" ON "model_versions" USING btree ("changed_at");--> statement-breakpoint
CREATE INDEX "model_versions_pending" ON "model_versions" USING btree ("changed_at") WHERE status in ('uploading', 'checking');