ALTER TABLE "responses" ADD COLUMN "n" integer;--> statement-breakpoint
-- Until now a request had one end, and the last event of its last part was the terminal one.
UPDATE "responses" SET "n" = (SELECT max("last_event_id") FROM "responses" AS "parts" WHERE "parts"."request_id" = "responses"."request_id");--> statement-breakpoint
ALTER TABLE "responses" ALTER COLUMN "n" SET NOT NULL;--> statement-breakpoint
ALTER TABLE "responses" DROP CONSTRAINT "responses_request_id_part_pk";--> statement-breakpoint
ALTER TABLE "responses" ADD CONSTRAINT "responses_request_id_n_part_pk" PRIMARY KEY("request_id","n","part");
