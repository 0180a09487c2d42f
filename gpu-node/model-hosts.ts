import type { NamedTensor } from '@oriel/protocol/tensor'
import type { LocalModel } from './model-runner.ts'

/** One run of a graph over the rows of whoever is in it. */
export interface Batch {
  readonly inputs: readonly NamedTensor[]
  /** Names of those that are wanted; `undefined`: all. */
  readonly outputs: readonly string[] | undefined
}

/** The port between batches and the processes that run them. */
export interface ModelHosts {
  /**
   * Loads the model if need be.
   * @param signal drops the batch where it still waits in its host
   * @throws ProblemError what went wrong; BystanderError when the host was lost through no fault of this batch;
   *   `AbortError`
   */
  infer(model: LocalModel, batch: Batch, signal?: AbortSignal): Promise<readonly NamedTensor[]>
  /** The same in a host of its own, that takes nobody with it. */
  inferAlone(model: LocalModel, batch: Batch, signal?: AbortSignal): Promise<readonly NamedTensor[]>
}
