import type { TensorSpec } from '@oriel/protocol/manifest'
import type { NamedTensor } from '@oriel/protocol/tensor'

/**
 * What a server offers to speak the Open Inference Protocol: the routes of this package turn HTTP into these calls and
 * back, and know nothing of nodes, brokers or ONNX. Whatever a caller did wrong is a `ProblemError`, of the kinds
 * `model-not-found` (the name, or its version), `input-mismatch`, `invalid-parameter` and `model-unavailable`.
 */
export type InferencePort = {
  server(): ServerDescription
  /** The process answers. */
  live(): Promise<boolean>
  /** It can take predictions. */
  ready(): Promise<boolean>
  /** @throws ProblemError model-not-found */
  describe(model: ModelRef): Promise<ServedModel>
  /** Whether a prediction would be answered now, with the model already loaded or to be loaded for it. */
  modelReady(model: ModelRef): Promise<boolean>
  /**
   * One prediction, validated against the model's signature by the port: the tensors it gets are whole and their values
   * are of their datatype, but names, shapes and datatypes are still the caller's.
   * `signal` aborts when the caller has gone.
   */
  infer(model: ModelRef, call: InferenceCall, signal: AbortSignal): Promise<InferenceAnswer>
  /**
   * The same, in parts as they are made, for models that generate. Every answer holds what is new; `infer` of such a model
   * answers the whole. Without it `generate_stream` sends the answer of `infer` as its only event.
   */
  stream?(model: ModelRef, call: InferenceCall, signal: AbortSignal): AsyncIterable<InferenceAnswer>
  /** Of one version, of all versions of a name, or of everything. */
  statistics(model?: ModelRef): Promise<ModelStatistics[]>
  repository: ModelRepository
}

/** `version` is a number as in the path, or an alias (`name@production`); without it the server chooses. */
export type ModelRef = { name: string; version?: string }

export type ServerDescription = { name: string; version: string }

/** One version as its callers see it. A text model shows its text as `text_input` and `text_output`, BYTES of shape [1]. */
export type ServedModel = {
  name: string
  version: string
  /** All versions that can be asked, this one included. */
  versions: readonly string[]
  platform: string
  /** Of one item, without the batch dimension when `maxBatch` ≥ 1. */
  inputs: readonly TensorSpec[]
  outputs: readonly TensorSpec[]
  /** Rows in one run; 0: no batch dimension. */
  maxBatch: number
  /** By output, the name of each class, for the `classification` parameter. */
  labels?: Readonly<Record<string, readonly string[]>>
  /** Whether `stream` gives more than one answer. */
  generates?: boolean
}

export type ParameterValue = string | number | boolean

export type InferenceCall = {
  id?: string
  /** Those for the model: what the protocol keeps for itself (binary_data_output, timeout, priority) is taken out. */
  parameters: Readonly<Record<string, ParameterValue>>
  /** With the batch dimension in front when the model's `maxBatch` ≥ 1. */
  inputs: readonly NamedTensor[]
  /** By name; absent: all of them. */
  outputs?: readonly string[]
}

export type InferenceAnswer = {
  model: string
  version: string
  outputs: readonly NamedTensor[]
  parameters?: Readonly<Record<string, ParameterValue>>
}

export type Tally = { count: number; ns: number }

/** Since the version was loaded. Times are sums over `count`, in nanoseconds. */
export type ModelStatistics = {
  name: string
  version: string
  /** Milliseconds since 1970; 0: never. */
  lastInferenceAt: number
  /** Rows that were answered, and runs of the model that it took. */
  inferenceCount: number
  executionCount: number
  success: Tally
  fail: Tally
  queue: Tally
  infer: Tally
  /** By rows in a run. */
  batches: readonly { size: number; infer: Tally }[]
  memoryBytes?: number
}

export type ModelRepository = {
  index(): Promise<RepositoryEntry[]>
  /**
   * Reads the model again and loads what is there. Absent, as `unload`, where callers do not decide what is loaded.
   * @throws ProblemError model-not-found, model-unavailable
   */
  load?(name: string): Promise<void>
  /** @throws ProblemError model-not-found */
  unload?(name: string): Promise<void>
}

export type RepositoryEntry = {
  name: string
  version: string
  state: 'READY' | 'LOADING' | 'UNLOADING' | 'UNAVAILABLE'
  /** Why it is unavailable. */
  reason?: string
}
