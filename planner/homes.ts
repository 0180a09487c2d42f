import { HIGH, LOW, SETTLED } from './bounds.ts'
import { sum } from './shelf.ts'

export interface NodeCapacity {
  readonly name: string
  /** How much it can do beside the others, above 0. */
  readonly capacity: number
  readonly residents: ReadonlySet<string>
  /** Models that it cannot run. */
  readonly lacks: ReadonlySet<string>
}

export interface PartitionLoad {
  /** Its part of the requests. */
  readonly load: number
  /** It has one model alone. */
  readonly hot: boolean
  /** Its part of the models. */
  readonly count: number
  /** Its models, and the bytes of each. */
  readonly models: ReadonlyMap<string, number>
}

/** What a node has to do and to keep, both as parts of what a node should have. */
interface Use {
  readonly load: number
  readonly count: number
}

const MOVE_BYTES = 1e6

/** Nodes with their homes while a plan is being made. */
export class Homes {
  readonly of: Set<string>[]
  readonly #nodes: readonly NodeCapacity[]
  readonly #loads: readonly PartitionLoad[]
  /** What each of a partition's homes has of it. */
  readonly #parts: readonly Use[]
  readonly #used: Map<string, Use>

  /** @param wanted how many homes each partition is to have */
  constructor(loads: readonly PartitionLoad[], nodes: readonly NodeCapacity[], wanted: readonly number[]) {
    const capacity = sum(nodes.map((node) => node.capacity))
    this.of = loads.map(() => new Set())
    this.#nodes = nodes
    this.#loads = loads
    // Each home loads the partition's models for itself.
    const counts = sum(loads.map(({ count }, partition) => count * (wanted[partition] ?? 1))) || 1
    this.#parts = loads.map(({ load, count }, partition) => ({
      load: (load / (wanted[partition] ?? 1)) * capacity,
      count: (count / counts) * capacity,
    }))
    this.#used = new Map(nodes.map(({ name }) => [name, { load: 0, count: 0 }]))
  }

  add(partition: number, node: NodeCapacity): void {
    this.of[partition]?.add(node.name)
    this.#used.set(node.name, this.#with(partition, node, 1))
  }

  mayHave(partition: number, { name, lacks }: NodeCapacity): boolean {
    if (this.of[partition]?.has(name)) return false
    return ![...lacks].some((model) => this.#loads[partition]?.models.has(model))
  }

  /** The least used node, or one that is hardly more used and has the partition's models in memory. */
  fill(partition: number): boolean {
    const open = this.#nodes
      .filter((node) => this.mayHave(partition, node))
      .map((node) => {
        const use = this.#with(partition, node, 1)
        return { node, used: scarcer(use), both: use.load + use.count, missing: this.#missing(partition, node) }
      })
    const limit = Math.max(Math.min(...open.map(({ used }) => used)), SETTLED)
    const [best] = open
      .filter(({ used }) => used <= limit)
      .sort(
        (a, b) => a.missing - b.missing || a.used - b.used || a.both - b.both || (a.node.name < b.node.name ? -1 : 1),
      )
    if (best) this.add(partition, best.node)
    return best !== undefined
  }

  /** Moves up to `budget` homes from nodes that have too much to those that have too little: what helps most first. */
  balance(budget: number): void {
    const used = this.#nodes.map((node) => scarcer(this.#use(node)))
    if (Math.max(...used) <= HIGH && Math.min(...used) >= LOW) return
    for (let left = budget; left > 0 && this.#improve(); left--) {}
  }

  #improve(): boolean {
    const used = ({ name }: NodeCapacity) => scarcer(this.#used.get(name) ?? { load: 0, count: 0 })
    const order = this.#nodes.toSorted((a, b) => used(b) - used(a) || (a.name < b.name ? -1 : 1))
    const [source, ...others] = order
    const target = others.at(-1)
    if (!source || !target || (used(source) <= SETTLED && used(target) >= 1 / SETTLED)) return false
    let best: { partition: number; target: NodeCapacity; worth: number } | undefined
    for (const [partition, homes] of this.of.entries()) {
      if (!homes.has(source.name)) continue
      const left = scarcer(this.#with(partition, source, -1))
      for (const target of others) {
        const better = used(source) - Math.max(left, scarcer(this.#with(partition, target, 1)))
        if (better <= 1e-9 || !this.mayHave(partition, target)) continue
        const worth = better / (this.#missing(partition, target) + MOVE_BYTES)
        if (!best || worth > best.worth) best = { partition, target, worth }
      }
    }
    if (!best) return false
    this.of[best.partition]?.delete(source.name)
    this.#used.set(source.name, this.#with(best.partition, source, -1))
    this.add(best.partition, best.target)
    return true
  }

  #use({ name }: NodeCapacity): Use {
    return this.#used.get(name) ?? { load: 0, count: 0 }
  }

  #with(partition: number, node: NodeCapacity, sign: 1 | -1): Use {
    const { load, count } = this.#use(node)
    const part = this.#parts[partition] ?? { load: 0, count: 0 }
    return {
      load: load + (sign * part.load) / node.capacity,
      count: count + (sign * part.count) / node.capacity,
    }
  }

  /** Bytes that the node would have to load. */
  #missing(partition: number, { residents }: NodeCapacity): number {
    let bytes = 0
    for (const [model, size] of this.#loads[partition]?.models ?? []) if (!residents.has(model)) bytes += size
    return bytes
  }
}

const scarcer = ({ load, count }: Use): number => Math.max(load, count)
