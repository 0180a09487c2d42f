CREATE TABLE "model_aliases" (
	"model" text NOT NULL,
	"alias" text NOT NULL,
	"version" text,
	"wanted" text,
	"turn" integer DEFAULT 1 NOT NULL,
	"failure" jsonb,
	"changed_by" text NOT NULL,
	"changed_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "model_aliases_model_alias_pk" PRIMARY KEY("model","alias")
);
--> statement-breakpoint
CREATE INDEX "model_aliases_changed_at" ON "model_aliases" USING btree ("changed_at");--> statement-breakpoint
CREATE INDEX "model_aliases_wanted" ON "model_aliases" USING btree ("model") WHERE wanted is not null;