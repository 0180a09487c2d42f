import { sql } from 'drizzle-orm'
import {
  bigint,
  boolean,
  doublePrecision,
  index,
  integer,
  json,
  jsonb,
  pgTable,
  primaryKey,
  text,
  timestamp,
  uniqueIndex,
  uuid,
} from 'drizzle-orm/pg-core'

const time = (name: string) => timestamp(name, { withTimezone: true })

// Drizzle declares no partitions: `requests`, `responses` and `predictions` are PARTITION BY RANGE in the migration,
// and partitions.ts makes a partition of each for every day.
//
// What came from clients and models is `json`, not `jsonb`. It keeps the text as it was written, so a replay
// from the record equals the log byte for byte (jsonb sorts the keys), and it takes "\u0000" and lone
// surrogates inside strings, which jsonb refuses.

/** One row per request accepted. Never updated. */
export const requests = pgTable(
  'requests',
  {
    /** UUIDv7: sorts by, and is partitioned by, the time of sending. */
    id: uuid('id').primaryKey(),
    userId: text('user_id').notNull(),
    requestId: text('request_id').notNull(),
    modelId: text('model_id').notNull(),
    version: text('version').notNull(),
    request: json('request').notNull(),
    bodyHash: text('body_hash').notNull(),
    deadlineAt: time('deadline_at').notNull(),
    /** For people: programs read it from the id. */
    sentAt: time('sent_at').generatedAlwaysAs(sql`uuid_extract_timestamp(id)`),
    /** So that a page can be cut to size without reading what it leaves out. */
    bytes: integer('bytes').generatedAlwaysAs(sql`octet_length(request::text)`),
  },
  (table) => [
    index('requests_user_id').on(table.userId, table.id),
    index('requests_user_request_id').on(table.userId, table.requestId, table.id),
  ],
)

/**
 * The outcome and the log, one row per part of it. A request has ended when all parts are here. Never updated: a
 * request that was queued again ends again, in rows of its own that hold the whole log, and the last end counts.
 */
export const responses = pgTable(
  'responses',
  {
    requestId: uuid('request_id').notNull(),
    /** The number of the terminal event: which end this is. */
    n: integer('n').notNull(),
    part: integer('part').notNull(),
    parts: integer('parts').notNull(),
    status: text('status').notNull(),
    problem: json('problem'),
    endedAt: time('ended_at').notNull(),
    events: json('events').notNull(),
    /** The number of the last event in this part: whoever resumes after it need not read the part. */
    lastEventId: integer('last_event_id').notNull(),
    bytes: integer('bytes').generatedAlwaysAs(sql`octet_length(events::text)`),
  },
  (table) => [primaryKey({ columns: [table.requestId, table.n, table.part] })],
)

/** One row per prediction that somebody waited for. Never updated, and no part of the history of requests. */
export const predictions = pgTable(
  'predictions',
  {
    /** UUIDv7: sorts by, and is partitioned by, the time of sending. */
    id: uuid('id').primaryKey(),
    userId: text('user_id').notNull(),
    modelId: text('model_id').notNull(),
    version: text('version').notNull(),
    node: text('node').notNull(),
    status: text('status').notNull(),
    problem: json('problem'),
    tookMs: doublePrecision('took_ms').notNull(),
    /** Tensors, or of large ones their hash and size. */
    input: json('input').notNull(),
    output: json('output'),
  },
  (table) => [index('predictions_user_id').on(table.userId, table.id)],
)

/** What was registered, and what nodes announce from their folders: then nobody has registered it. */
export const models = pgTable('models', {
  name: text('name').primaryKey(),
  owner: text('owner'),
  contact: text('contact'),
  description: text('description').notNull().default(''),
  environment: text('environment'),
  createdBy: text('created_by'),
  registeredAt: time('registered_at'),
  deletedAt: time('deleted_at'),
  firstSeen: time('first_seen').notNull().defaultNow(),
  /** When a node last said that it has a version of this model. */
  lastHeartbeat: time('last_heartbeat'),
})

export const modelVersions = pgTable(
  'model_versions',
  {
    model: text('model').notNull(),
    version: text('version').notNull(),
    /** As it was registered; once it is ready, with what its graph said where it was silent. */
    manifest: jsonb('manifest').notNull(),
    /** One of `VERSION_STATUSES` of protocol/model-registry.ts. */
    status: text('status').notNull().default('announced'),
    /** Why it was refused. */
    problem: jsonb('problem'),
    createdBy: text('created_by'),
    deprecated: boolean('deprecated').notNull().default(false),
    /** When a registered version last became something else: whoever follows the registry reads from there. */
    changedAt: time('changed_at').notNull().defaultNow(),
    /** When it was last tried to check it, and how often a node could not. */
    triedAt: time('tried_at'),
    tries: integer('tries').notNull().default(0),
    firstSeen: time('first_seen').notNull().defaultNow(),
    lastHeartbeat: time('last_heartbeat'),
    /** Of an announced one: no live node has it, as the recorder hears them. */
    stale: boolean('stale').notNull().default(false),
  },
  (table) => [
    primaryKey({ columns: [table.model, table.version] }),
    index('model_versions_changed_at').on(table.changedAt),
    index('model_versions_pending').on(table.changedAt).where(sql`status in ('uploading', 'checking')`),
  ],
)

/** Names for versions. One that was removed stays as a row without versions, so that whoever follows sees it go. */
export const modelAliases = pgTable(
  'model_aliases',
  {
    model: text('model').notNull(),
    alias: text('alias').notNull(),
    /** That it means now. Empty: none. */
    version: text('version'),
    /** That it is to mean once nodes have it warm. Empty: no switch is under way. */
    wanted: text('wanted'),
    /** Counts what people asked for: whoever finishes a switch finishes this one, and none that came later. */
    turn: integer('turn').notNull().default(1),
    /** Why the last switch failed, and to which version it was. */
    failure: jsonb('failure'),
    changedBy: text('changed_by').notNull(),
    changedAt: time('changed_at').notNull().defaultNow(),
  },
  (table) => [
    primaryKey({ columns: [table.model, table.alias] }),
    index('model_aliases_changed_at').on(table.changedAt),
    index('model_aliases_wanted').on(table.model).where(sql`wanted is not null`),
  ],
)

/** Files in the blob store that are whole, by their content. */
export const artifacts = pgTable('artifacts', {
  sha256: text('sha256').primaryKey(),
  bytes: bigint('bytes', { mode: 'number' }).notNull(),
  storedAt: time('stored_at').notNull().defaultNow(),
  /** Since when no version needs it: it counts as missing, and its bytes are being removed. */
  droppingAt: time('dropping_at'),
})

/** Files that are coming in parts: one upload at a time for one content. */
export const uploads = pgTable('uploads', {
  sha256: text('sha256').primaryKey(),
  bytes: bigint('bytes', { mode: 'number' }).notNull(),
  partBytes: integer('part_bytes').notNull(),
  /** The blob store's name for it. */
  handle: text('handle').notNull().unique(),
  createdBy: text('created_by').notNull(),
  createdAt: time('created_at').notNull().defaultNow(),
  /** Since when somebody puts it together. */
  completingAt: time('completing_at'),
})

export const uploadParts = pgTable(
  'upload_parts',
  {
    handle: text('handle')
      .notNull()
      .references(() => uploads.handle, { onDelete: 'cascade' }),
    number: integer('number').notNull(),
    /** By which the blob store knows this content of the part. */
    etag: text('etag').notNull(),
  },
  (table) => [primaryKey({ columns: [table.handle, table.number] })],
)

export const nodes = pgTable('nodes', {
  name: text('name').primaryKey(),
  /** As the node last told it. */
  status: jsonb('status').notNull(),
  firstSeen: time('first_seen').notNull().defaultNow(),
  lastHeartbeat: time('last_heartbeat').notNull(),
  /** The recorder does not hear of it any more. */
  stale: boolean('stale').notNull().default(false),
})

export const apiKeys = pgTable(
  'api_keys',
  {
    id: uuid('id').primaryKey(),
    userId: text('user_id').notNull(),
    name: text('name').notNull(),
    /** SHA-256 of the key, hex. The key itself is shown once and kept nowhere. */
    hash: text('hash').notNull(),
    /** The key's first characters, by which its owner tells it from others. */
    prefix: text('prefix').notNull(),
    scopes: text('scopes').array().notNull(),
    /** Limits of protocol/limits.ts; empty: those of its user alone. */
    limits: jsonb('limits').notNull().default({}),
    createdAt: time('created_at').notNull().defaultNow(),
    expiresAt: time('expires_at'),
    revokedAt: time('revoked_at'),
    lastUsedAt: time('last_used_at'),
  },
  (table) => [uniqueIndex('api_keys_hash').on(table.hash), index('api_keys_user_id').on(table.userId)],
)
