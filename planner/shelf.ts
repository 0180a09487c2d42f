import type { ModelLoad } from './model-load.ts'

/** Models in partitions while a plan is being made. */
export class Shelf {
  readonly #members: Map<string, ModelLoad>[]
  readonly #volumes: number[]
  readonly #where = new Map<string, number>()

  constructor(partitions: number) {
    this.#members = Array.from({ length: partitions }, () => new Map())
    this.#volumes = Array.from({ length: partitions }, () => 0)
  }

  get partitions(): number[] {
    return [...this.#members.keys()]
  }

  /** Puts it there, from wherever it was. */
  put(model: ModelLoad, partition: number): void {
    this.take(model)
    this.#where.set(model.name, partition)
    this.members(partition).set(model.name, model)
    this.#volumes[partition] = this.volume(partition) + model.volume
  }

  take(model: ModelLoad): void {
    const partition = this.#where.get(model.name)
    if (partition === undefined) return
    this.#where.delete(model.name)
    const members = this.members(partition)
    members.delete(model.name)
    // Not what is left of many sums: an empty partition has exactly nothing.
    this.#volumes[partition] = members.size === 0 ? 0 : Math.max(0, this.volume(partition) - model.volume)
  }

  partitionOf(name: string): number | undefined {
    return this.#where.get(name)
  }

  members(partition: number): Map<string, ModelLoad> {
    const members = this.#members[partition]
    if (!members) throw new Error(`there is no partition ${partition}`)
    return members
  }

  volume(partition: number): number {
    return this.#volumes[partition] ?? 0
  }

  count(partition: number): number {
    return this.members(partition).size
  }

  bytes(partition: number): number {
    return sum([...this.members(partition).values()].map(({ bytes }) => bytes))
  }

  /** Each partition's part of the whole volume; of nothing, nothing. */
  shares(): number[] {
    const total = sum(this.#volumes)
    return this.#volumes.map((volume) => (total > 0 ? volume / total : 0))
  }
}

export const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0)

/** The partition for which `of` is least; of several, the first. */
export function least(partitions: readonly number[], of: (partition: number) => number): number {
  let best = partitions[0]
  if (best === undefined) throw new Error('there is no partition to choose from')
  let value = of(best)
  for (const partition of partitions) {
    const other = of(partition)
    if (other < value) [best, value] = [partition, other]
  }
  return best
}
