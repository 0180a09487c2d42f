CREATE TABLE "predictions" (
	"id" uuid PRIMARY KEY NOT NULL,
	"user_id" text NOT NULL,
	"model_id" text NOT NULL,
	"version" text NOT NULL,
	"node" text NOT NULL,
	"status" text NOT NULL,
	"problem" json,
	"took_ms" double precision NOT NULL,
	"input" json NOT NULL,
	"output" json
) PARTITION BY RANGE ("id");
--> statement-breakpoint
CREATE INDEX "predictions_user_id" ON "predictions" USING btree ("user_id","id");