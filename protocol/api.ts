import * as v from 'valibot'
import { ModelAliases, ModelReference } from './alias.ts'
import { Attempt } from './attempts.ts'
import { STATUSES } from './event.ts'
import { ClientRequestID, RequestId } from './ids.ts'
import { Limits } from './limits.ts'
import { Manifest, ModelName } from './manifest.ts'
import { Problem } from './problem.ts'
import { LOG_MAX_AGE_MS } from './streams.ts'
import { LANES } from './subjects.ts'

/** Bodies of the HTTP API. What people send is strict, so that a misspelt option is an error and not ignored. */

export const MAX_BODY_BYTES = 1_000_000
/** Half of what the log is kept for: a request always ends well before its first events are gone. */
export const MAX_TIMEOUT_MS = LOG_MAX_AGE_MS / 2
/** How long a request with `onDisconnect: "cancel"` waits for its client to come back. */
export const DISCONNECT_GRACE_MS = 10_000

/** What a token or a key may be allowed beyond its user's own requests. `admin`: to run Oriel; `keys`: to make keys; `models`: to register models. */
export const SCOPES = ['admin', 'keys', 'models'] as const
export type Scope = (typeof SCOPES)[number]

export const RequestOptions = v.strictObject({
  requestID: v.optional(ClientRequestID),
  input: v.unknown(),
  parameters: v.optional(v.record(v.string(), v.unknown())),
  timeoutMs: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(MAX_TIMEOUT_MS))),
  onDisconnect: v.optional(v.picklist(['detach', 'cancel'])),
  /** `batch` waits behind `interactive`; it is never left waiting for ever. */
  lane: v.optional(v.picklist(LANES)),
})

export const Submission = v.strictObject({ modelID: ModelReference, request: RequestOptions })
export type Submission = v.InferOutput<typeof Submission>

const Timestamp = v.pipe(v.string(), v.isoTimestamp())

export const SubmissionAnswer = v.object({
  requestID: ClientRequestID,
  status: v.picklist(STATUSES),
  sentAt: Timestamp,
  /** Good for this request's events alone, without a header: for a browser's EventSource. */
  eventsURL: v.pipe(v.string(), v.url()),
})
export type SubmissionAnswer = v.InferOutput<typeof SubmissionAnswer>

/** Of a prediction that its caller waits for: one item, as `input` of a request. */
export const PredictionBody = v.strictObject({
  inputs: v.unknown(),
  parameters: v.optional(v.record(v.string(), v.unknown()), {}),
  version: v.optional(v.string()),
  timeoutMs: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(MAX_TIMEOUT_MS))),
})

export const PredictionAnswer = v.object({
  predictionID: RequestId,
  modelID: ModelName,
  version: Manifest.entries.version,
  /** By name; of a text model what a request's response would be. */
  outputs: v.unknown(),
})
export type PredictionAnswer = v.InferOutput<typeof PredictionAnswer>

const Tensors = v.union([
  v.object({ tensors: v.array(v.record(v.string(), v.unknown())) }),
  v.object({ sha256: v.string(), bytes: v.number() }),
])

/** A prediction as the record has it. */
export const PredictionView = v.object({
  predictionID: RequestId,
  modelID: ModelName,
  version: Manifest.entries.version,
  sentAt: Timestamp,
  status: v.picklist(['completed', 'failed']),
  problem: v.optional(Problem),
  /** In the node. */
  tookMs: v.number(),
  /** As the Open Inference Protocol has tensors; of large ones the hash of their bytes, and how many. */
  input: Tensors,
  output: v.optional(Tensors),
})
export type PredictionView = v.InferOutput<typeof PredictionView>

export const PredictionList = v.object({
  predictions: v.array(PredictionView),
  nextCursor: v.nullable(v.string()),
  limit: v.pipe(v.number(), v.integer()),
})

export const RequestView = v.object({
  requestID: ClientRequestID,
  modelID: ModelName,
  /** As it was sent, without the request id. */
  request: v.record(v.string(), v.unknown()),
  responses: v.array(v.object({ response: v.unknown(), sentAt: Timestamp })),
  status: v.picklist(STATUSES),
  sentAt: Timestamp,
  /** The number of the last event: what to pass as `after`, or as Last-Event-ID. */
  lastEventID: v.pipe(v.number(), v.integer(), v.minValue(0)),
  /** Of a failed request: why. Of any other that has ended: that its answer was lost (`answer-lost`). */
  problem: v.optional(Problem),
})
export type RequestView = v.InferOutput<typeof RequestView>

export const HistoryPage = v.object({
  requests: v.array(RequestView),
  nextCursor: v.nullable(v.string()),
  limit: v.pipe(v.number(), v.integer()),
})
export type HistoryPage = v.InferOutput<typeof HistoryPage>

export const ModelView = v.object({
  modelID: ModelName,
  version: Manifest.entries.version,
  /** All that can be asked as `modelID@version`, the lowest first. */
  versions: v.array(Manifest.entries.version),
  /** Which version each alias means, asked as `modelID@alias`. Without `production`, the bare name means the latest. */
  aliases: ModelAliases,
  description: v.string(),
  engine: Manifest.entries.engine,
  inputs: Manifest.entries.inputs,
  outputs: Manifest.entries.outputs,
  parameters: Manifest.entries.parameters,
  timeoutMs: v.number(),
  /** How many nodes can run it now. */
  nodes: v.number(),
  /** When a node that can run it was last heard of. None: not since the relay began to listen. */
  lastHeartbeat: v.optional(v.string()),
  /** Why no node can, when none can. */
  problem: v.optional(Problem),
})
export type ModelView = v.InferOutput<typeof ModelView>

const count = (least: number, most: number) => v.pipe(v.number(), v.integer(), v.minValue(least), v.maxValue(most))
const DAY_S = 86_400

/** Limits of one key, below those of its user. */
export const NewLimits = v.strictObject({
  rate: v.optional(
    v.strictObject({
      perSecond: count(1, 1_000_000),
      /** Requests at once after a pause: what `perSecond` gives in a day at most, and in a second unless given. */
      burst: v.optional(count(1, 1_000_000 * DAY_S)),
    }),
  ),
  concurrent: v.optional(count(1, 1_000_000)),
  /** Any request must fit into a day. */
  bytesPerDay: v.optional(count(MAX_BODY_BYTES, 1_000_000_000_000)),
})
export type NewLimits = v.InferOutput<typeof NewLimits>

export const NewKey = v.strictObject({
  /** What it is for, in its maker's words. */
  name: v.pipe(v.string(), v.regex(/^[^\p{Cc}\p{Cs}]{1,100}$/u)),
  /** What its maker may; none unless given. */
  scopes: v.optional(v.pipe(v.array(v.picklist(SCOPES)), v.maxLength(10)), []),
  /** Never unless given. */
  expiresAt: v.optional(Timestamp),
  /** Those of its user alone unless given. A key that may make keys can have none. */
  limits: v.optional(NewLimits, {}),
})

export const KeyView = v.object({
  id: v.pipe(v.string(), v.uuid()),
  name: v.string(),
  /** How it begins, by which it is told from others. */
  prefix: v.string(),
  scopes: v.array(v.picklist(SCOPES)),
  limits: Limits,
  createdAt: Timestamp,
  expiresAt: v.nullable(Timestamp),
  /** To the minute. */
  lastUsedAt: v.nullable(Timestamp),
})
export type KeyView = v.InferOutput<typeof KeyView>

/** `key` is shown this once. */
export const MadeKey = v.object({ ...KeyView.entries, key: v.string() })

export const KeyList = v.object({ keys: v.array(KeyView) })

/** A job that failed for good, as a list shows it. */
export const DeadLetterSummary = v.object({
  /** Oriel's own name for the request; of a message that was no job, `sequence-` and where it stood in JOBS. */
  id: v.string(),
  modelID: v.string(),
  failedAt: Timestamp,
  problem: Problem,
  /** How many attempts there were. */
  attempts: v.number(),
  requeueable: v.boolean(),
})
export type DeadLetterSummary = v.InferOutput<typeof DeadLetterSummary>

export const DeadLetterPage = v.object({
  deadLetters: v.array(DeadLetterSummary),
  nextCursor: v.nullable(v.string()),
  limit: v.pipe(v.number(), v.integer()),
})

export const RequeuedView = v.object({
  id: v.string(),
  requestID: ClientRequestID,
  status: v.picklist(STATUSES),
  sentAt: Timestamp,
})
export type RequeuedView = v.InferOutput<typeof RequeuedView>

export const BulkRequeue = v.strictObject({ model: ModelName, nextCursor: v.optional(v.string()) })

export const BulkRequeued = v.object({
  requeued: v.array(RequeuedView),
  /** Those that lie there still, and why. */
  refused: v.array(v.object({ id: v.string(), problem: Problem })),
  /** Where the next call goes on. */
  nextCursor: v.nullable(v.string()),
  /** Why it went no further: a part is away, and the next call may go on. */
  stopped: v.optional(Problem),
})
export type BulkRequeued = v.InferOutput<typeof BulkRequeued>

export const DeadLetterView = v.object({
  ...DeadLetterSummary.entries,
  attempts: v.array(v.object({ ...Attempt.entries, startedAt: Timestamp })),
  /** The node that gave it up, and how often the broker had delivered it. */
  node: v.string(),
  deliveries: v.number(),
  /** Of a job: what was asked, of which version, when it was sent, and until when it had time. */
  job: v.optional(
    v.object({
      version: Manifest.entries.version,
      lane: v.picklist(LANES),
      input: v.unknown(),
      parameters: v.record(v.string(), v.unknown()),
      sentAt: Timestamp,
      deadlineAt: Timestamp,
    }),
  ),
  /** Of a message that was no job: its text, or the beginning of it. */
  message: v.optional(v.string()),
})
export type DeadLetterView = v.InferOutput<typeof DeadLetterView>

export const Health = v.object({ status: v.picklist(['ok', 'unavailable']), checks: v.record(v.string(), v.string()) })
