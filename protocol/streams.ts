import { NODE_TTL_MS } from './node-status.ts'
import {
  ALIASES,
  ALL_DEAD,
  ALL_HISTORY,
  ALL_JOBS,
  ALL_LIVE,
  ALL_PROGRESS,
  DEAD,
  HISTORY,
  JOBS,
  LANES,
  type Lane,
  LEASES,
  laneConsumer,
  laneJobs,
  MODELS,
  NODES,
  PLACEMENT,
  PROGRESS,
  RECORDER,
  VOLUMES,
} from './subjects.ts'

// Durations are in nanoseconds, as JetStream's API takes them.
const ms = (value: number) => value * 1e6
const minutes = (value: number) => ms(value * 60_000)
const days = (value: number) => minutes(value * 24 * 60)

/** The broker's `max_payload`: a 1 MB body, its envelope, and answers of the same order. */
export const MAX_PAYLOAD_BYTES = 4 * 1024 * 1024
/** Jobs that may wait for one model in one lane: past it JOBS refuses, and the edge answers `queue-full`. */
export const MAX_QUEUED = 1_000
/**
 * How often the broker delivers a job at most. The budget of attempts is the model's, and counted in the log; this
 * is for a job that ends its node before it can write a word.
 */
export const MAX_DELIVER = 50
/** A job whose node has not said `working()` for this long goes to another. */
export const ACK_WAIT_MS = 10_000
/** How long each event of a log is kept; when the first is gone, the record answers. */
export const LOG_MAX_AGE_MS = 60 * 60_000

/** A lease that was not renewed for so long is anybody's. */
export const LEASE_TTL_MS = 4_000

/** Dead letters that are kept; past it the oldest go. Whoever lists them reads their subjects. */
export const MAX_DEAD = 100_000

/** How long a stream tells a repeat by its `Nats-Msg-Id`. */
export const DUPLICATE_WINDOW_MS = 2 * 60_000

export const STREAMS = [
  {
    name: JOBS,
    subjects: [ALL_JOBS],
    retention: 'workqueue',
    storage: 'file',
    discard: 'new',
    discard_new_per_subject: true,
    max_msgs_per_subject: MAX_QUEUED,
    max_age: ms(LOG_MAX_AGE_MS), // every request has ended by then; what is left is litter
    duplicate_window: ms(DUPLICATE_WINDOW_MS),
    allow_direct: true,
  },
  {
    name: PROGRESS,
    subjects: [ALL_PROGRESS],
    retention: 'limits',
    storage: 'file', // on memory storage the server fills Nats-Last-Sequence by a scan
    max_age: ms(LOG_MAX_AGE_MS),
    duplicate_window: ms(DUPLICATE_WINDOW_MS),
    allow_direct: true,
    republish: { src: ALL_PROGRESS, dest: ALL_LIVE },
  },
  {
    name: HISTORY,
    subjects: [ALL_HISTORY],
    retention: 'limits',
    storage: 'file',
    max_age: days(7),
    duplicate_window: ms(DUPLICATE_WINDOW_MS),
    allow_direct: true,
  },
  {
    name: DEAD,
    max_msgs: MAX_DEAD,
    subjects: [ALL_DEAD],
    retention: 'limits',
    storage: 'file',
    max_age: days(30),
    max_msgs_per_subject: 1, // one letter for each request: the last
    duplicate_window: ms(DUPLICATE_WINDOW_MS),
    allow_direct: true,
  },
] as const

/** Every node asks for jobs as one of this group, and says with which priority: `HOME` is given them first. */
export const PULL_GROUP = 'nodes'
export const PRIORITY = { home: 0, helper: 1 } as const

/** The consumer of one lane of a partition: whoever pulls takes jobs, and each job goes to one node. */
export const jobsConsumer = (partition: number, lane: Lane) =>
  ({
    durable_name: laneConsumer(partition, lane),
    filter_subject: laneJobs(partition, lane),
    ack_policy: 'explicit',
    ack_wait: ms(ACK_WAIT_MS),
    max_deliver: MAX_DELIVER,
    max_ack_pending: 10_000,
    priority_groups: [PULL_GROUP] as string[],
    priority_policy: 'prioritized',
  }) as const

export const jobsConsumers = (partitions: number) =>
  Array.from({ length: partitions }, (_, partition) => LANES.map((lane) => jobsConsumer(partition, lane))).flat()

/** A fact whose recorder has not said `working()` for this long goes to another, or to the next. */
export const RECORDER_ACK_WAIT_MS = 5_000

/** The recorder tries for as long as Postgres is away: a fact is given up never. */
export const RECORDER_CONSUMER = {
  durable_name: RECORDER,
  ack_policy: 'explicit',
  ack_wait: ms(RECORDER_ACK_WAIT_MS),
  max_deliver: -1,
  max_ack_pending: 20_000,
} as const

export const BUCKETS = [
  { name: NODES, ttlMs: NODE_TTL_MS },
  { name: MODELS, ttlMs: 0 },
  { name: ALIASES, ttlMs: 0 },
  { name: PLACEMENT, ttlMs: 0 },
  { name: LEASES, ttlMs: LEASE_TTL_MS },
  { name: VOLUMES, ttlMs: 0 },
] as const
