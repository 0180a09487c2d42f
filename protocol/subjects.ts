/** Names that several programs must spell the same way. Nothing outside this file writes a subject by hand. */

/** A subject token, as Triton names folders but without dots, so a model's name can stand in a subject as it is. */
export const TOKEN = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/

export const JOBS = 'JOBS'
export const PROGRESS = 'PROGRESS'
export const HISTORY = 'HISTORY'
export const DEAD = 'DEAD'

export const LANES = ['interactive', 'batch'] as const
export type Lane = (typeof LANES)[number]

export const jobSubject = (partition: number, lane: Lane, model: string) => `jobs.${partition}.${lane}.${model}`
export const laneJobs = (partition: number, lane: Lane) => `jobs.${partition}.${lane}.*`
export const ALL_JOBS = 'jobs.>'
/** The durable consumer on JOBS of one lane of one partition. */
export const laneConsumer = (partition: number, lane: Lane) => `partition-${partition}-${lane}`
/** The broker's word that a job has had all its deliveries and is still in JOBS. */
export const ALL_MAX_DELIVERIES = `$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.${JOBS}.*`
/** The broker's word that a connection of our account has ended, brought over from its system account. */
export const DISCONNECTED = 'broker.disconnected'

/** A message of a log that says `started` names in this header the subject on which its job is acknowledged. */
export const DELIVERY_HEADER = 'Oriel-Delivery'

export const progressSubject = (shard: number, id: string) => `progress.${shard}.${id}`
export const ALL_PROGRESS = 'progress.>'
/** PROGRESS republishes every stored event here, with `Nats-Sequence` and `Nats-Last-Sequence` as headers. */
export const LIVE_PREFIX = 'live.'
export const liveShard = (shard: number) => `${LIVE_PREFIX}progress.${shard}.*`
export const ALL_LIVE = `${LIVE_PREFIX}progress.>`
/** The request a progress subject is about, live or stored: ids have no dots, so it is the last token. */
export const requestOf = (subject: string) => subject.slice(subject.lastIndexOf('.') + 1)

export const acceptedSubject = (id: string) => `history.accepted.${id}`
export const endedSubject = (id: string) => `history.ended.${id}`
/** @param id of the batch: a message tells of several predictions */
export const predictedSubject = (id: string) => `history.predicted.${id}`
export const ALL_HISTORY = 'history.>'
/** The recorder's durable consumer on HISTORY. */
export const RECORDER = 'recorder'

export const deadSubject = (model: string, id: string) => `dead.${model}.${id}`
export const ALL_DEAD = 'dead.>'
/** The dead letters of one model. */
export const deadOf = (model: string) => `dead.${model}.*`
/** The dead letter of a request of whatever model. */
export const deadLetter = (id: string) => `dead.*.${id}`

/** A prediction that somebody waits for, on its way to one node. */
export const predictSubject = (node: string, model: string) => `predict.${node}.${model}`
export const nodePredictions = (node: string) => `predict.${node}.*`
export const ALL_PREDICTIONS = 'predict.*.*'
/** Where whoever asked hears the answer. `line` and `call` cannot be guessed, and no node hears another's. */
export const answerSubject = (line: string, call: number) => `answers.${line}.${call}`
export const lineAnswers = (line: string) => `answers.${line}.*`
export const ALL_ANSWERS = 'answers.*.*'

export const cancelSubject = (id: string) => `control.cancel.${id}`
export const ALL_CANCELS = 'control.cancel.*'

/** How many requests for each model a relay has had. */
export const volumeSubject = (shard: number) => `volume.${shard}`
export const ALL_VOLUMES = 'volume.*'
/** How much waits in each partition and how fast it is taken, told by the planner. */
export const BACKLOG = 'placement.backlog'
/** The recorder asks one node of the queue group `CHECKERS` whether a version can be opened. */
export const CHECK = 'control.check'
export const CHECKERS = 'checkers'
/** What that node says of it. */
export const checkedSubject = (model: string, version: string) => `control.checked.${model}.${version}`
export const ALL_CHECKED = 'control.checked.*.*'
/** The recorder has one node bring a version into memory. */
export const warmSubject = (node: string) => `control.warm.${node}`
export const ALL_WARM_UPS = 'control.warm.*'
/** What that node says of it. */
export const warmedSubject = (node: string, model: string, version: string) =>
  `control.warmed.${node}.${model}.${version}`
export const ALL_WARMED = 'control.warmed.*.*.*'

/** KV buckets. */
export const NODES = 'nodes'
export const MODELS = 'models'
/** By model, which version each of its aliases means. */
export const ALIASES = 'aliases'
export const PLACEMENT = 'placement'
/** The one key in the placement bucket. */
export const PLAN = 'plan'
/** A model version's key in the models bucket. */
export const modelKey = (model: string, version: string) => `${model}.${version}`
/** Who does what only one may do: an entry that its holder writes again and again, and that ends by itself. */
export const LEASES = 'leases'
/** The key of the planner's lease. */
export const PLANNER = 'planner'
/** What the planner has measured so far, for the next one. */
export const VOLUMES = 'volumes'
/** The one key in the volumes bucket. */
export const MEASURED = 'measured'
