import { plan, type World } from '@oriel/planner/plan'
import { Volumes } from '@oriel/planner/volumes'
import { homesOf, type Placement, partitionOf } from '@oriel/protocol/placement'
import { Random } from '../random.ts'
import type { PlacementWay } from './placement-way.ts'
import type { Workload } from './workload.ts'

const HALF_LIFE_MS = 30 * 60_000
/** Between two plans, when no node comes or goes. */
const PLAN_S = 300

export interface PlannedOptions {
  readonly work: Workload
  readonly partitions: number
  readonly seed: number
  /** What a node has in memory now. */
  readonly residents: (node: number) => Iterable<number>
}

/** As the planner program does it: the same plan, from the same measured volumes, as often. It knows the day before. */
export class Planned implements PlacementWay {
  readonly name = 'planner'
  moves = 0
  plans = 0
  readonly #options: PlannedOptions
  readonly #random: Random
  readonly #volumes = new Volumes(HALF_LIFE_MS)
  readonly #names: readonly string[]
  #placement: Placement | undefined
  #homes: number[][] = []
  #of = new Int32Array()
  #there: readonly number[] = []
  #plannedAt = Number.NEGATIVE_INFINITY

  constructor(options: PlannedOptions) {
    this.#options = options
    this.#random = new Random(options.seed)
    this.#names = [...options.work.bytes.keys()].map((model) => `m${model}`)
    for (const [model, rate] of options.work.before.entries()) {
      this.#volumes.add(this.#name(model), (rate * HALF_LIFE_MS) / Math.LN2 / 1000, 0)
    }
  }

  get placement(): Placement | undefined {
    return this.#placement
  }

  nodes(there: readonly number[], at: number): void {
    this.#there = there
    this.#plan(at)
  }

  tick(requests: ReadonlyMap<number, number>, at: number): void {
    for (const [model, count] of requests) this.#volumes.add(this.#name(model), count, at * 1000)
    if (at - this.#plannedAt >= PLAN_S) this.#plan(at)
  }

  route(model: number): number {
    const homes = this.#homes[this.#of[model] ?? 0] ?? []
    // Several nodes that are at home take turns, as it comes.
    const among = homes.length > 0 ? homes : this.#there
    return among[among.length === 1 ? 0 : this.#random.below(among.length)] ?? 0
  }

  #plan(at: number): void {
    const { work, partitions, residents } = this.#options
    this.#plannedAt = at
    this.plans++
    const models = this.#names.flatMap((name, model) =>
      (work.since[model] ?? 0) <= at
        ? [{ name, bytes: work.bytes[model] ?? 0, volume: this.#volumes.of(name, at * 1000) }]
        : [],
    )
    const nodes: World['nodes'] = this.#there.map((node) => ({
      name: `n${node}`,
      capacity: 1,
      residents: new Set([...residents(node)].map((model) => this.#name(model))),
      lacks: new Set(),
    }))
    const next = plan({ partitions, models, nodes }, this.#placement)
    if (next !== this.#placement) this.#follow(next)
  }

  #follow(next: Placement): void {
    const homes = Array.from({ length: next.partitions }, (_, partition) =>
      homesOf(next, partition).map((name) => Number(name.slice(1))),
    )
    const of = Int32Array.from(this.#names, (name) => partitionOf(next, name))
    const mapped = next.partitions - 1
    for (const [model, partition] of of.entries()) {
      const before = this.#of[model] ?? mapped
      // A model that was mapped to nobody had no home to leave.
      if (before === mapped || this.#homes.length === 0) continue
      const old = this.#homes[before] ?? []
      if (homes[partition]?.some((node) => !old.includes(node))) this.moves++
    }
    this.#placement = next
    this.#homes = homes
    this.#of = of
  }

  #name(model: number): string {
    return this.#names[model] ?? ''
  }
}
