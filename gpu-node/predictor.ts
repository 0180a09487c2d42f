import type { NamedTensor } from '@oriel/protocol/tensor'
import type { LocalModel } from './model-runner.ts'

export interface PredictOptions {
  /** Names of the outputs that are wanted; without it, all that the manifest declares (or else the graph has). */
  readonly outputs?: readonly string[]
  /** Aborted: the request is dropped if it has not run yet, and rejects with `AbortError` at once in any case. */
  readonly signal?: AbortSignal
  /** Never refused for those who wait already: whoever asks is bounded elsewhere, as jobs are by a node's slots. */
  readonly patient?: boolean
}

/** The port of everything that asks a model for tensors: routes, the quick path, queued jobs. */
export interface Predictor {
  /**
   * Loads the model if need be and runs it once over all rows of the inputs, together with whoever else asks now.
   *
   * Where `manifest.limits.maxBatch` ≥ 1 every input has the batch dimension in front, of the same number of rows,
   * and so has every output; a request has at most `maxBatch` rows. Where it is 0 shapes are those of the manifest.
   * The caller leaves the arrays alone until it has the answer; the answer's arrays are the caller's.
   *
   * @throws ProblemError input-mismatch, inference-failed, model-unavailable, queue-full, host-crashed, host-hung;
   *   `AbortError`
   */
  predict(model: LocalModel, inputs: readonly NamedTensor[], options?: PredictOptions): Promise<readonly NamedTensor[]>
}
