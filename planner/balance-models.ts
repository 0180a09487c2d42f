import { HIGH, SETTLED } from './bounds.ts'
import { byVolume, type ModelLoad } from './model-load.ts'
import { least, type Shelf, sum } from './shelf.ts'

/** What a move costs besides the bytes: so many more. */
const MOVE_BYTES = 1e6

/**
 * Partitions that share the models which are not hot. The count of models and their volume are balanced at the same
 * time: after `balance`, no partition has more models than ⌈`HIGH` × mean⌉, and none has more volume than `HIGH` times
 * the mean or, where a single model is so large, the mean and that model.
 */
export class SharedPartitions {
  readonly #shelf: Shelf
  readonly #partitions: readonly number[]
  readonly #count: number
  readonly #volume: number

  /** @param models all that are to be in these partitions, also those that are not yet */
  constructor(shelf: Shelf, partitions: readonly number[], models: readonly ModelLoad[]) {
    this.#shelf = shelf
    this.#partitions = partitions
    this.#count = models.length / partitions.length
    this.#volume = sum(models.map(({ volume }) => volume)) / partitions.length
  }

  /** The largest first, each where the scarcer of the two is least used (Graham's LPT in two dimensions). */
  place(models: readonly ModelLoad[]): void {
    const used = (partition: number, { volume }: ModelLoad) =>
      Math.max(
        (this.#shelf.count(partition) + 1) / this.#count,
        this.#volume > 0 ? (this.#shelf.volume(partition) + volume) / this.#volume : 0,
      )
    for (const model of models.toSorted(byVolume)) {
      this.#shelf.put(
        model,
        least(this.#partitions, (partition) => used(partition, model)),
      )
    }
  }

  /** Takes models out of partitions that have too many: those that have the least to do and are the smallest. */
  balanceCounts(): void {
    const settled = Math.ceil(this.#count * SETTLED)
    for (const source of this.#partitions) {
      if (this.#shelf.count(source) <= this.#maxCount) continue
      const idle = [...this.#shelf.members(source).values()].sort((a, b) => byVolume(b, a))
      for (const model of idle) {
        if (this.#shelf.count(source) <= settled) break
        this.#shelf.put(
          model,
          least(this.#partitions, (partition) => this.#shelf.count(partition)),
        )
      }
    }
  }

  /** Weighted moves, as in Slicer (Adya et al., OSDI 2016): always the one that balances most for the bytes it costs. */
  balanceVolumes(): void {
    const over = this.#partitions.filter((partition) => this.#shelf.volume(partition) > HIGH * this.#volume)
    for (const source of over.sort((a, b) => this.#shelf.volume(b) - this.#shelf.volume(a) || a - b)) {
      while (this.#shelf.volume(source) > SETTLED * this.#volume) if (!this.#improve(source)) break
    }
  }

  get #maxCount(): number {
    return Math.ceil(this.#count * HIGH)
  }

  /** One move out of a partition, or an exchange where there is no room for one model more. @returns false: none helps */
  #improve(source: number): boolean {
    const target = least(this.#partitions, (partition) => this.#shelf.volume(partition))
    const hasRoom = this.#shelf.count(target) < this.#maxCount
    const members = [...this.#shelf.members(source).values()]
    const back = hasRoom ? undefined : [...this.#shelf.members(target).values()].sort((a, b) => byVolume(b, a))[0]
    const gap = this.#shelf.volume(source) - this.#shelf.volume(target)
    const limit = Math.max(SETTLED * this.#volume, this.#volume + Math.max(...members.map(({ volume }) => volume)))
    let best: { model: ModelLoad; worth: number } | undefined
    for (const model of members) {
      const moved = model.volume - (back?.volume ?? 0)
      if (moved <= 0 || moved >= gap || this.#shelf.volume(target) + moved > limit) continue
      // What it takes from the sum of the squares of both volumes.
      const worth = (moved * (gap - moved)) / (model.bytes + (back?.bytes ?? 0) + MOVE_BYTES)
      if (!best || worth > best.worth) best = { model, worth }
    }
    if (!best) return false
    this.#shelf.put(best.model, target)
    if (back) this.#shelf.put(back, source)
    return true
  }
}
