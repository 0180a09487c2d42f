import type { ModelStatistics, Tally } from '@oriel/oip/port'
import type { BatchDone } from '../batching/batcher.ts'
import type { Clock } from '../clock.ts'
import type { LocalModel } from '../model-runner.ts'
import type { Observer } from '../observer.ts'

interface Sums {
  lastInferenceAt: number
  inferenceCount: number
  executionCount: number
  readonly success: Tally
  readonly fail: Tally
  readonly queue: Tally
  readonly infer: Tally
  readonly batches: Map<number, Tally>
}

const NS_PER_MS = 1e6

/** What each version has done since it was loaded, for the protocol's statistics. */
export class Statistics implements Pick<Observer, 'ran' | 'answered' | 'unloaded'> {
  readonly #sums = new Map<LocalModel, Sums>()
  readonly #clock: Clock

  constructor(clock: Clock) {
    this.#clock = clock
  }

  ran(model: LocalModel, { rows, waitedMs, ranMs }: BatchDone): void {
    const sums = this.#of(model)
    sums.executionCount++
    sums.inferenceCount += rows
    add(sums.infer, ranMs)
    add(sums.queue, waitedMs)
    const batch = sums.batches.get(rows) ?? { count: 0, ns: 0 }
    sums.batches.set(rows, batch)
    add(batch, ranMs)
  }

  answered(model: LocalModel, outcome: Parameters<Observer['answered']>[1], tookMs: number): void {
    if (outcome === 'cancelled') return
    const sums = this.#of(model)
    add(outcome === 'ok' ? sums.success : sums.fail, tookMs)
    if (outcome === 'ok') sums.lastInferenceAt = this.#clock.now()
  }

  unloaded(model: LocalModel): void {
    this.#sums.delete(model)
  }

  of(model: LocalModel): ModelStatistics {
    const { name, version } = model.manifest
    const { batches, ...sums } = this.#sums.get(model) ?? newSums()
    const bySize = [...batches].sort(([a], [b]) => a - b).map(([size, infer]) => ({ size, infer }))
    return { name, version, ...sums, batches: bySize }
  }

  #of(model: LocalModel): Sums {
    const known = this.#sums.get(model)
    if (known) return known
    const sums = newSums()
    this.#sums.set(model, sums)
    return sums
  }
}

function add(tally: Tally, ms: number): void {
  tally.count++
  tally.ns += Math.round(ms * NS_PER_MS)
}

const newSums = (): Sums => ({
  lastInferenceAt: 0,
  inferenceCount: 0,
  executionCount: 0,
  success: { count: 0, ns: 0 },
  fail: { count: 0, ns: 0 },
  queue: { count: 0, ns: 0 },
  infer: { count: 0, ns: 0 },
  batches: new Map(),
})
