import { COLD, HIGH, SETTLED } from './bounds.ts'
import { byVolume, type ModelLoad } from './model-load.ts'
import { least, type Shelf, sum } from './shelf.ts'

/** What a move costs besides the bytes: so many more. */
const MOVE_BYTES = 1e6

/**
 * Partitions that share the models which are not hot. The count of models and their volume are balanced at the same
 * time: after `balance`, no partition has more models than ⌈`HIGH` × mean⌉, and none has more volume than `HIGH` times
 * what it should or, where a single model is so large, that and the model.
 */
export class SharedPartitions {
  readonly #shelf: Shelf
  readonly #partitions: readonly number[]
  readonly #count: number
  readonly #targets: ReadonlyMap<number, number>

  /** @param models all that are to be in these partitions, also those that are not yet */
  constructor(shelf: Shelf, partitions: readonly number[], cold: readonly number[], models: readonly ModelLoad[]) {
    this.#shelf = shelf
    this.#partitions = partitions
    this.#count = models.length / partitions.length
    const part = (partition: number) => (cold.includes(partition) ? COLD : 1)
    const each = sum(models.map(({ volume }) => volume)) / sum(partitions.map(part))
    this.#targets = new Map(partitions.map((partition) => [partition, part(partition) * each]))
  }

  /** The largest first, each where the scarcer of the two is least used (Graham's LPT in two dimensions). */
  place(models: readonly ModelLoad[]): void {
    const used = (partition: number, { volume }: ModelLoad) => {
      const target = this.#target(partition)
      const full = target > 0 ? (this.#shelf.volume(partition) + volume) / target : 0
      return Math.max((this.#shelf.count(partition) + 1) / this.#count, full)
    }
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
    const over = this.#partitions.filter((partition) => this.#shelf.volume(partition) > HIGH * this.#target(partition))
    for (const source of over.sort((a, b) => this.#room(a) - this.#room(b) || a - b)) {
      while (this.#shelf.volume(source) > SETTLED * this.#target(source)) if (!this.#improve(source)) break
    }
  }

  get #maxCount(): number {
    return Math.ceil(this.#count * HIGH)
  }

  /** One move out of a partition, or an exchange where there is no room for one model more. @returns false: none helps */
  #improve(source: number): boolean {
    const target = least(this.#partitions, (partition) => -this.#room(partition))
    const hasRoom = this.#shelf.count(target) < this.#maxCount
    const members = [...this.#shelf.members(source).values()]
    const back = hasRoom ? undefined : [...this.#shelf.members(target).values()].sort((a, b) => byVolume(b, a))[0]
    const gap = this.#room(target) - this.#room(source)
    const limit = Math.max((SETTLED - 1) * this.#target(target), Math.max(...members.map(({ volume }) => volume)))
    let best: { model: ModelLoad; worth: number } | undefined
    for (const model of members) {
      const moved = model.volume - (back?.volume ?? 0)
      if (moved <= 0 || moved >= gap || moved - this.#room(target) > limit) continue
      // What it takes from the sum of the squares by which both miss what they should have.
      const worth = (moved * (gap - moved)) / (model.bytes + (back?.bytes ?? 0) + MOVE_BYTES)
      if (!best || worth > best.worth) best = { model, worth }
    }
    if (!best) return false
    this.#shelf.put(best.model, target)
    if (back) this.#shelf.put(back, source)
    return true
  }

  #target(partition: number): number {
    return this.#targets.get(partition) ?? 0
  }

  /** What a partition could have more, below 0: what it has too much. */
  #room(partition: number): number {
    return this.#target(partition) - this.#shelf.volume(partition)
  }
}
