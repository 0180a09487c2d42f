CREATE TABLE "api_keys" (
	"id" uuid PRIMARY KEY NOT NULL,
	"user_id" text NOT NULL,
	"name" text NOT NULL,
	"hash" text NOT NULL,
	"prefix" text NOT NULL,
	"scopes" text[] NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"expires_at" timestamp with time zone,
	"revoked_at" timestamp with time zone,
	"last_used_at" timestamp with time zone
);
--> statement-breakpoint
CREATE TABLE "model_versions" (
	"model" text NOT NULL,
	"version" text NOT NULL,
	"manifest" jsonb NOT NULL,
	"first_seen" timestamp with time zone DEFAULT now() NOT NULL,
	"last_heartbeat" timestamp with time zone,
	CONSTRAINT "model_versions_model_version_pk" PRIMARY KEY("model","version")
);
--> statement-breakpoint
CREATE TABLE "models" (
	"name" text PRIMARY KEY NOT NULL,
	"first_seen" timestamp with time zone DEFAULT now() NOT NULL,
	"last_heartbeat" timestamp with time zone
);
--> statement-breakpoint
CREATE TABLE "nodes" (
	"name" text PRIMARY KEY NOT NULL,
	"status" jsonb NOT NULL,
	"first_seen" timestamp with time zone DEFAULT now() NOT NULL,
	"last_heartbeat" timestamp with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "requests" (
	"id" uuid PRIMARY KEY NOT NULL,
	"user_id" text NOT NULL,
	"request_id" text NOT NULL,
	"model_id" text NOT NULL,
	"version" text NOT NULL,
	"request" json NOT NULL,
	"body_hash" text NOT NULL,
	"deadline_at" timestamp with time zone NOT NULL,
	"sent_at" timestamp with time zone GENERATED ALWAYS AS (uuid_extract_timestamp(id)) STORED,
	"bytes" integer GENERATED ALWAYS AS (octet_length(request::text)) STORED
) PARTITION BY RANGE ("id");
--> statement-breakpoint
CREATE TABLE "responses" (
	"request_id" uuid NOT NULL,
	"part" integer NOT NULL,
	"parts" integer NOT NULL,
	"status" text NOT NULL,
	"problem" json,
	"ended_at" timestamp with time zone NOT NULL,
	"events" json NOT NULL,
	"last_event_id" integer NOT NULL,
	"bytes" integer GENERATED ALWAYS AS (octet_length(events::text)) STORED,
	CONSTRAINT "responses_request_id_part_pk" PRIMARY KEY("request_id","part")
) PARTITION BY RANGE ("request_id");
--> statement-breakpoint
CREATE UNIQUE INDEX "api_keys_hash" ON "api_keys" USING btree ("hash");--> statement-breakpoint
CREATE INDEX "api_keys_user_id" ON "api_keys" USING btree ("user_id");--> statement-breakpoint
CREATE INDEX "requests_user_id" ON "requests" USING btree ("user_id","id");--> statement-breakpoint
CREATE INDEX "requests_user_request_id" ON "requests" USING btree ("user_id","request_id","id");