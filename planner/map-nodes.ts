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
  /** Its part of the work, beside the other partitions'. */
  readonly weight: number
  /** Its models, and the bytes of each. */
  readonly models: ReadonlyMap<string, number>
}

/** How many nodes are at home in each partition: one, more where one would not be enough, and every node somewhere. */
function replicas(loads: readonly PartitionLoad[], nodes: number): number[] {
  const wanted = loads.map(({ load }) => Math.min(nodes, Math.max(1, Math.round(load * nodes))))
  for (let missing = nodes - sum(wanted); missing > 0; missing--) {
    const part = (index: number) => (loads[index]?.weight ?? 0) / (wanted[index] ?? 1)
    const open = [...wanted.keys()].filter((index) => (wanted[index] ?? 0) < nodes)
    const heaviest = open.reduce((best, index) => (part(index) > part(best) ? index : best), open[0] ?? 0)
    wanted[heaviest] = (wanted[heaviest] ?? 0) + 1
  }
  return wanted
}

/** Nodes with their homes while a plan is being made. */
class Homes {
  readonly of: Set<string>[]
  readonly #nodes: readonly NodeCapacity[]
  readonly #parts: readonly number[]
  readonly #loads: readonly PartitionLoad[]
  readonly #used: Map<string, number>
  readonly #mean: number

  constructor(loads: readonly PartitionLoad[], nodes: readonly NodeCapacity[], wanted: readonly number[]) {
    this.of = loads.map(() => new Set())
    this.#nodes = nodes
    this.#loads = loads
    this.#parts = loads.map(({ weight }, partition) => weight / (wanted[partition] ?? 1))
    this.#used = new Map(nodes.map(({ name }) => [name, 0]))
    this.#mean = sum(loads.map(({ weight }) => weight)) / sum(nodes.map(({ capacity }) => capacity))
  }

  add(partition: number, { name, capacity }: NodeCapacity): void {
    this.of[partition]?.add(name)
    this.#used.set(name, this.used(name) + this.#part(partition) / capacity)
  }

  /** The least used node, or one that is hardly more used and has the partition's models in memory. */
  fill(partition: number): boolean {
    const after = (node: NodeCapacity) => this.used(node.name) + this.#part(partition) / node.capacity
    const open = this.#nodes.filter((node) => this.#mayHave(partition, node))
    if (open.length === 0) return false
    const limit = Math.max(Math.min(...open.map(after)), SETTLED * this.#mean)
    const near = open.filter((node) => after(node) <= limit)
    const [best] = near.sort(
      (a, b) =>
        this.#missing(partition, a) - this.#missing(partition, b) || after(a) - after(b) || (a.name < b.name ? -1 : 1),
    )
    if (best) this.add(partition, best)
    return best !== undefined
  }

  /** Moves up to `budget` homes from nodes that have too much to those that have too little: what helps most first. */
  balance(budget: number): void {
    const use = this.#nodes.map(({ name }) => this.used(name))
    if (Math.max(...use) <= HIGH * this.#mean && Math.min(...use) >= LOW * this.#mean) return
    for (let left = budget; left > 0 && this.#improve(); left--) {}
  }

  used(name: string): number {
    return this.#used.get(name) ?? 0
  }

  #improve(): boolean {
    const order = this.#nodes.toSorted((a, b) => this.used(b.name) - this.used(a.name) || (a.name < b.name ? -1 : 1))
    const [source, target] = [order[0], order.at(-1)]
    if (!source || !target) return false
    const [high, low] = [this.used(source.name), this.used(target.name)]
    if (high <= SETTLED * this.#mean && low >= this.#mean / SETTLED) return false
    let best: { partition: number; worth: number } | undefined
    for (const partition of this.of.keys()) {
      if (!this.of[partition]?.has(source.name) || !this.#mayHave(partition, target)) continue
      const left = high - this.#part(partition) / source.capacity
      const gained = low + this.#part(partition) / target.capacity
      const better = high - Math.max(left, gained)
      if (better <= 1e-9) continue
      const worth = better / (this.#missing(partition, target) + 1e6)
      if (!best || worth > best.worth) best = { partition, worth }
    }
    if (!best) return false
    this.of[best.partition]?.delete(source.name)
    this.#used.set(source.name, high - this.#part(best.partition) / source.capacity)
    this.add(best.partition, target)
    return true
  }

  #mayHave(partition: number, { name, lacks }: NodeCapacity): boolean {
    if (this.of[partition]?.has(name)) return false
    return lacks.size === 0 || ![...(this.#loads[partition]?.models.keys() ?? [])].some((model) => lacks.has(model))
  }

  /** Bytes that the node would have to load. */
  #missing(partition: number, { residents }: NodeCapacity): number {
    let bytes = 0
    for (const [model, size] of this.#loads[partition]?.models ?? []) if (!residents.has(model)) bytes += size
    return bytes
  }

  #part(partition: number): number {
    return this.#parts[partition] ?? 0
  }
}

/**
 * Which nodes are at home in which partition. A home is kept while its node lives, and moved only when a node has far
 * too much or too little. A partition whose models no single node can all run has none: all nodes take its jobs alike.
 */
export function mapNodes(
  loads: readonly PartitionLoad[],
  nodes: readonly NodeCapacity[],
  previous: readonly (readonly string[])[],
): string[][] {
  if (nodes.length === 0) return loads.map((_, partition) => [...(previous[partition] ?? [])])
  const sorted = nodes.toSorted((a, b) => (a.name < b.name ? -1 : 1))
  const wanted = replicas(loads, nodes.length)
  const homes = new Homes(loads, sorted, wanted)
  for (const [partition, { models }] of loads.entries()) {
    const kept = (previous[partition] ?? []).flatMap((name) => sorted.filter((node) => node.name === name))
    const able = kept.filter(({ lacks }) => ![...lacks].some((model) => models.has(model)))
    for (const node of able.slice(0, wanted[partition])) homes.add(partition, node)
  }
  const heaviest = [...loads.keys()].sort((a, b) => (loads[b]?.weight ?? 0) - (loads[a]?.weight ?? 0) || a - b)
  for (const partition of heaviest) {
    while ((homes.of[partition]?.size ?? 0) < (wanted[partition] ?? 0)) if (!homes.fill(partition)) break
  }
  // One node's worth for each that is new, as Slicer limits its churn: the rest can wait for the next plan.
  const known = new Set(previous.flat())
  const joined = sorted.filter(({ name }) => !known.has(name)).length
  homes.balance(Math.ceil(sum(wanted) / nodes.length) * Math.max(1, joined))
  return homes.of.map((names) => [...names].sort())
}
