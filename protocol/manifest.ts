import * as v from 'valibot'
import { Sha256 } from './artifact.ts'
import { DATATYPES } from './datatype.ts'
import { Stage } from './pipeline.ts'
import { TOKEN } from './subjects.ts'

export const ModelName = v.pipe(v.string(), v.regex(TOKEN))
/** Versions are numbers, as in Triton's layout; the highest is the latest. */
export const ModelVersion = v.pipe(v.string(), v.regex(/^[1-9][0-9]{0,8}$/))

export { DATATYPES, type Datatype } from './datatype.ts'

export const TensorSpec = v.strictObject({
  /** The graph's own name of the input or output, and the field's name in requests and responses. */
  name: v.pipe(v.string(), v.minLength(1)),
  datatype: v.picklist(DATATYPES),
  /** Of one item, without the batch dimension when `limits.maxBatch` ≥ 1; -1 is any size; [] is a scalar. */
  shape: v.array(v.pipe(v.number(), v.integer(), v.minValue(-1))),
  /** Of an input: whether NaN and the infinities are refused. JSON cannot say them in any case. */
  finite: v.optional(v.boolean()),
})
export type TensorSpec = v.InferOutput<typeof TensorSpec>

const described = { description: v.optional(v.string()) }
const bounds = { minimum: v.optional(v.number()), maximum: v.optional(v.number()) }

/** What a caller may set for one request. Without a default the parameter is absent unless given. */
export const ParameterSpec = v.variant('type', [
  v.strictObject({
    type: v.literal('integer'),
    default: v.optional(v.pipe(v.number(), v.integer())),
    ...bounds,
    ...described,
  }),
  v.strictObject({ type: v.literal('number'), default: v.optional(v.number()), ...bounds, ...described }),
  v.strictObject({ type: v.literal('boolean'), default: v.optional(v.boolean()), ...described }),
  v.strictObject({
    type: v.literal('string'),
    default: v.optional(v.string()),
    maxLength: v.optional(v.number()),
    ...described,
  }),
  /** A list of strings; one string is taken as a list of one. */
  v.strictObject({
    type: v.literal('strings'),
    default: v.optional(v.array(v.string())),
    maxItems: v.optional(v.number()),
    maxLength: v.optional(v.number()),
    ...described,
  }),
])
export type ParameterSpec = v.InferOutput<typeof ParameterSpec>

export const ENGINES = ['tensor', 'pipeline', 'text-classification', 'text-generation'] as const
export type EngineName = (typeof ENGINES)[number]

const count = v.pipe(v.number(), v.integer(), v.minValue(1))

/** `models/<name>/<version>/manifest.json`: all that Oriel must know of a version. People write it, so typos are errors. */
export const Manifest = v.strictObject({
  name: ModelName,
  version: ModelVersion,
  description: v.optional(v.string(), ''),
  owner: v.optional(v.string()),
  contact: v.optional(v.string()),
  engine: v.picklist(ENGINES),
  files: v.pipe(
    v.array(
      v.strictObject({
        /** Relative to the manifest, inside its folder: no part of it is `.` or `..`. */
        path: v.pipe(v.string(), v.regex(/^\.?[A-Za-z0-9_][A-Za-z0-9_.-]*(\/\.?[A-Za-z0-9_-][A-Za-z0-9_.-]*)*$/)),
        sha256: Sha256,
        bytes: v.pipe(v.number(), v.integer(), v.minValue(0)),
      }),
    ),
    v.minLength(1),
  ),
  /** Of a tensor model or a pipeline: by name. The text engines take one string and leave this empty. */
  inputs: v.optional(v.array(TensorSpec), []),
  outputs: v.optional(v.array(TensorSpec), []),
  /** Of a pipeline; `pipelineFault` tells whether its ends meet. */
  stages: v.optional(v.array(Stage)),
  /**
   * An input as a request would give it. The model is run on it before it counts as loaded; without one, on a row of
   * zeros.
   */
  sample: v.optional(v.unknown()),
  parameters: v.optional(v.record(v.pipe(v.string(), v.regex(/^[a-z][A-Za-z0-9]{0,63}$/)), ParameterSpec), {}),
  limits: v.strictObject({
    /** How long a request may take from sending to its end, unless it says otherwise itself. */
    timeoutMs: count,
    /** How long a run may go without a sign of life before its host is killed. */
    hangMs: v.optional(count, 30_000),
    /** Attempts that a request has: a failure that is not its own does not count. */
    attempts: v.optional(v.pipe(count, v.maxValue(20)), 5),
    /** Rows in one run; 0: the graph has no batch dimension. */
    maxBatch: v.pipe(v.number(), v.integer(), v.minValue(0)),
    /** Requests that one node runs at a time. */
    concurrency: count,
  }),
  /** How rows of several requests become one run. By itself a node learns it from what it measures. */
  batching: v.optional(
    v.strictObject({
      /** How long a batch may be held back for callers who are about to ask again; 0: never. */
      maxDelayMs: v.optional(v.pipe(v.number(), v.minValue(0), v.maxValue(1_000))),
      /** Rows that may wait on one node; more are refused. */
      maxWaiting: v.optional(count),
    }),
  ),
})
export type Manifest = v.InferOutput<typeof Manifest>
/** As a person writes it. */
export type ManifestInput = v.InferInput<typeof Manifest>
