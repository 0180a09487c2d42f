import {
  ALIASES,
  ALL_ANSWERS,
  ALL_CANCELS,
  ALL_CHECKED,
  ALL_LIVE,
  ALL_MAX_DELIVERIES,
  ALL_PREDICTIONS,
  ALL_VOLUMES,
  ALL_WARM_UPS,
  ALL_WARMED,
  BACKLOG,
  CHECK,
  DEAD,
  DISCONNECTED,
  HISTORY,
  JOBS,
  LEASES,
  MEASURED,
  MODELS,
  NODES,
  PLACEMENT,
  PLAN,
  PLANNER,
  PROGRESS,
  RECORDER,
  VOLUMES,
} from './subjects.ts'

/** What an identity may do at the broker: the subjects that it may publish to and subscribe to. */
export interface Permissions {
  readonly publish: readonly string[]
  readonly subscribe: readonly string[]
}

/** Answers to a node arrive under a prefix of their own, so that no node reads another identity's answers. */
export const NODE_INBOX = '_INBOX_node'

const kv = (bucket: string) => `KV_${bucket}`

export const NODE_PERMISSIONS = {
  publish: [
    'progress.>',
    'history.ended.>',
    'history.predicted.>',
    'dead.>',
    ALL_ANSWERS,
    `$KV.${NODES}.>`,
    `$KV.${MODELS}.>`,
    // Takes jobs and settles them. An acknowledgement's subject may name a domain and an account first.
    `$JS.API.CONSUMER.MSG.NEXT.${JOBS}.>`,
    `$JS.ACK.${JOBS}.>`,
    `$JS.ACK.*.*.${JOBS}.>`,
    // Says what came of a check, and of a warm-up.
    ALL_CHECKED,
    ALL_WARMED,
    // Reads logs and known manifests, and watches the plan and the registered versions.
    `$JS.API.DIRECT.GET.${PROGRESS}`,
    `$JS.API.DIRECT.GET.${kv(MODELS)}.>`,
    ...[MODELS, PLACEMENT].flatMap((bucket) => [
      `$JS.API.CONSUMER.CREATE.${kv(bucket)}.>`,
      `$JS.API.CONSUMER.DELETE.${kv(bucket)}.>`,
      `$JS.API.CONSUMER.INFO.${kv(bucket)}.>`,
      `$JS.FC.${kv(bucket)}.>`,
    ]),
  ],
  subscribe: [`${NODE_INBOX}.>`, BACKLOG, ALL_CANCELS, ALL_PREDICTIONS, CHECK, ALL_WARM_UPS],
} as const satisfies Permissions

export const EDGE_INBOX = '_INBOX_edge'

/**
 * The edge sends jobs, asks for predictions, ends logs (cancelled, expired) always behind the fence, gives a dead node's jobs to the
 * others, and keeps the dead letters. It cannot take a job, read the history but
 * for the last fact of a subject, or touch a bucket.
 */
export const EDGE_PERMISSIONS = {
  publish: [
    'jobs.*.*.*',
    'progress.*.*',
    'history.accepted.*',
    'history.ended.*',
    // Sees whether HISTORY has what the record lacks of a request.
    `$JS.API.DIRECT.GET.${HISTORY}.history.*.*`,
    'control.cancel.*',
    ALL_VOLUMES,
    ALL_PREDICTIONS,
    `$JS.API.DIRECT.GET.${PROGRESS}`,
    `$JS.API.CONSUMER.INFO.${JOBS}.*`,
    // Gives back what a dead node had, and clears away what was given up.
    `$JS.ACK.${JOBS}.>`,
    `$JS.ACK.*.*.${JOBS}.>`,
    `$JS.API.STREAM.MSG.GET.${JOBS}`,
    `$JS.API.STREAM.MSG.DELETE.${JOBS}`,
    'dead.*.*',
    `$JS.API.STREAM.INFO.${DEAD}`,
    `$JS.API.DIRECT.GET.${DEAD}`,
    `$JS.API.STREAM.MSG.DELETE.${DEAD}`,
    // A requeued request whose log has aged gets it back from the record, under the same subject.
    `$JS.API.STREAM.PURGE.${PROGRESS}`,
    // Watches the buckets.
    ...[MODELS, ALIASES, NODES, PLACEMENT].flatMap((bucket) => [
      `$JS.API.STREAM.INFO.${kv(bucket)}`,
      `$JS.API.CONSUMER.CREATE.${kv(bucket)}.>`,
      `$JS.API.CONSUMER.DELETE.${kv(bucket)}.>`,
      `$JS.API.CONSUMER.INFO.${kv(bucket)}.>`,
      `$JS.FC.${kv(bucket)}.>`,
    ]),
  ],
  subscribe: [`${EDGE_INBOX}.>`, ALL_ANSWERS, ALL_LIVE, DISCONNECTED, ALL_MAX_DELIVERIES],
} as const satisfies Permissions

export const RECORDER_INBOX = '_INBOX_recorder'

/**
 * The recorder reads the history through its one consumer and watches models and nodes. It has nodes check what was
 * registered, and writes what is ready into the bucket of models. Before an alias changes, nodes are told to warm up what it will mean.
 */
export const RECORDER_PERMISSIONS = {
  publish: [
    `$JS.API.CONSUMER.INFO.${HISTORY}.${RECORDER}`,
    `$JS.API.CONSUMER.MSG.NEXT.${HISTORY}.${RECORDER}`,
    `$JS.ACK.${HISTORY}.${RECORDER}.>`,
    `$JS.ACK.*.*.${HISTORY}.${RECORDER}.>`,
    CHECK,
    ALL_WARM_UPS,
    `$KV.${MODELS}.>`,
    `$KV.${ALIASES}.>`,
    // Where a model is at home.
    `$JS.API.DIRECT.GET.${kv(PLACEMENT)}.>`,
    ...[MODELS, ALIASES, NODES].flatMap((bucket) => [
      `$JS.API.CONSUMER.CREATE.${kv(bucket)}.>`,
      `$JS.API.CONSUMER.DELETE.${kv(bucket)}.>`,
      `$JS.API.CONSUMER.INFO.${kv(bucket)}.>`,
      `$JS.FC.${kv(bucket)}.>`,
    ]),
  ],
  subscribe: [`${RECORDER_INBOX}.>`, ALL_CHECKED, ALL_WARMED],
} as const satisfies Permissions

export const PLANNER_INBOX = '_INBOX_planner'

/** The planner writes the plan, its lease and what it has measured, and sees models, nodes and how much waits. */
export const PLANNER_PERMISSIONS = {
  publish: [
    `$KV.${PLACEMENT}.${PLAN}`,
    `$KV.${LEASES}.${PLANNER}`,
    `$KV.${VOLUMES}.${MEASURED}`,
    BACKLOG,
    ...[PLACEMENT, LEASES, VOLUMES].map((bucket) => `$JS.API.DIRECT.GET.${kv(bucket)}.>`),
    `$JS.API.CONSUMER.INFO.${JOBS}.*`,
    ...[MODELS, NODES].flatMap((bucket) => [
      `$JS.API.STREAM.INFO.${kv(bucket)}`,
      `$JS.API.CONSUMER.CREATE.${kv(bucket)}.>`,
      `$JS.API.CONSUMER.DELETE.${kv(bucket)}.>`,
      `$JS.API.CONSUMER.INFO.${kv(bucket)}.>`,
      `$JS.FC.${kv(bucket)}.>`,
    ]),
  ],
  subscribe: [`${PLANNER_INBOX}.>`, ALL_VOLUMES, DISCONNECTED],
} as const satisfies Permissions
