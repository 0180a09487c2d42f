import type { Backlog } from '@oriel/protocol/backlog'

/** What the broker says of the consumers of a partition, both lanes together. */
export interface QueueSample {
  readonly waiting: number
  readonly running: number
  /** Deliveries, ever. */
  readonly delivered: number
}

/** What is older says nothing about now. */
const WINDOW_MS = 10_000

/** How fast each partition's jobs are taken, from what the broker counts. */
export class BacklogMeter {
  #samples: { at: number; queues: readonly QueueSample[] }[] = []

  add(queues: readonly QueueSample[], at: number): void {
    const last = this.#samples.at(-1)
    // A consumer that was made anew counts from the beginning.
    const isAnew = last?.queues.some(({ delivered }, partition) => delivered > (queues[partition]?.delivered ?? 0))
    this.#samples = [...(isAnew ? [] : this.#samples.filter((sample) => at - sample.at <= WINDOW_MS)), { at, queues }]
  }

  /** @param homes by partition: live nodes that are at home there */
  now(homes: readonly number[]): Backlog {
    const [first, last] = [this.#samples[0], this.#samples.at(-1)]
    if (!first || !last) return { partitions: [] }
    const seconds = (last.at - first.at) / 1000
    return {
      partitions: last.queues.map(({ waiting, running, delivered }, partition) => ({
        waiting,
        running,
        homes: homes[partition] ?? 0,
        drain: seconds > 0 ? (delivered - (first.queues[partition]?.delivered ?? delivered)) / seconds : 0,
      })),
    }
  }
}
