import type { NamedTensor } from '@oriel/protocol/tensor'
import type { Clock } from '../clock.ts'
import type { ModelHosts } from '../model-hosts.ts'
import type { LocalModel } from '../model-runner.ts'
import type { PredictOptions, Predictor } from '../predictor.ts'
import { type BatchDone, Batcher } from './batcher.ts'
import { requestCheck } from './model-request.ts'

/** Rows that may wait on one node, where the manifest does not say. */
const MAX_WAITING = 1_024
const MAX_WAITING_BATCHES = 16
const MAX_DELAY_MS = 10
/** Of requests for one model. */
const MAX_WAITING_BYTES = 256 * 2 ** 20

interface Lane {
  readonly check: ReturnType<typeof requestCheck>
  readonly batcher: Batcher
}

export interface BatchingPredictorOptions {
  readonly hosts: ModelHosts
  readonly clock: Clock
  /** For metrics. */
  readonly onBatch?: (model: LocalModel, done: BatchDone) => void
}

/** Checks every request against its model's signature, and runs those that come together as one. */
export class BatchingPredictor implements Predictor {
  readonly #options: BatchingPredictorOptions
  readonly #lanes = new WeakMap<LocalModel, Lane>()

  constructor(options: BatchingPredictorOptions) {
    this.#options = options
  }

  predict(
    model: LocalModel,
    inputs: readonly NamedTensor[],
    { outputs, signal, patient }: PredictOptions = {},
  ): Promise<readonly NamedTensor[]> {
    try {
      const { check, batcher } = this.#lane(model)
      return batcher.predict(check(inputs, outputs), signal, patient)
    } catch (error) {
      return Promise.reject(error) // without an async function, which costs every request two turns
    }
  }

  #lane(model: LocalModel): Lane {
    const known = this.#lanes.get(model)
    if (known) return known
    const lane = { check: requestCheck(model.manifest), batcher: this.#batcher(model) }
    this.#lanes.set(model, lane)
    return lane
  }

  #batcher(model: LocalModel): Batcher {
    const { hosts, clock, onBatch } = this.#options
    const { limits, batching = {} } = model.manifest
    return new Batcher({
      infer: (batch, signal) => hosts.infer(model, batch, signal),
      maxBatch: limits.maxBatch,
      // One batch at a time: while it runs, the next one grows.
      maxRunning: limits.maxBatch > 1 ? 1 : limits.concurrency,
      maxWaiting: batching.maxWaiting ?? Math.max(MAX_WAITING, limits.maxBatch * MAX_WAITING_BATCHES),
      maxWaitingBytes: MAX_WAITING_BYTES,
      maxDelayMs: batching.maxDelayMs ?? MAX_DELAY_MS,
      clock,
      ...(onBatch && { onBatch: (done) => onBatch(model, done) }),
    })
  }
}
