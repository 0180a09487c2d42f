import { BoundedRendezvous } from './bounded-rendezvous.ts'
import { plainHashing, rendezvousHashing } from './hashing.ts'
import { hindsight } from './hindsight.ts'
import { Memory } from './memory.ts'
import { type PlacementWay, TICK_S } from './placement-way.ts'
import { Planned } from './planned.ts'
import { type Workload, type WorkloadOptions, workload } from './workload.ts'

export interface SimOptions extends WorkloadOptions {
  readonly partitions: number
  /** Bytes of models that a node holds. */
  readonly memory: number
}

export interface Outcome {
  readonly name: string
  /** The busiest node's requests over the mean of all, hour by hour: on average, and in the worst hour. */
  readonly balance: { readonly mean: number; readonly worst: number }
  readonly moves: number
  readonly misses: number
  readonly bytes: number
}

export interface SimResult {
  readonly options: SimOptions
  readonly requests: number
  readonly nodeChanges: number
  readonly outcomes: readonly Outcome[]
  /** What nothing could do better. */
  readonly bound: { readonly misses: number; readonly bytes: number }
  readonly plans: number
}

export function simulate(options: SimOptions): SimResult {
  const work = workload(options)
  const models = work.bytes.length
  const planned = replay(work, options, (residents) => {
    return new Planned({ work, partitions: options.partitions, seed: options.seed, residents })
  })
  const hashed = [plainHashing(models), rendezvousHashing(models), new BoundedRendezvous()]
  const others = hashed.map((way) => replay(work, options, () => way))
  return {
    options,
    requests: work.times.length,
    nodeChanges: work.changes.filter(({ at }) => at > 0).length,
    outcomes: [planned, ...others].map(({ outcome }) => outcome),
    bound: hindsight(work, byteSeconds(work, options.memory)),
    plans: planned.way.plans,
  }
}

function replay<W extends PlacementWay>(
  work: Workload,
  { memory, hours }: SimOptions,
  make: (residents: (node: number) => Iterable<number>) => W,
): { way: W; outcome: Outcome } {
  const memories = new Map<number, Memory>()
  const way = make((node) => memories.get(node)?.residents() ?? [])
  const served: Map<number, number>[] = Array.from({ length: hours }, () => new Map())
  const always: Set<number>[] = Array.from({ length: hours }, () => new Set())
  const seen = new Map<number, number>()
  let [misses, bytes, change, tickAt, hour] = [0, 0, 0, 0, -1]
  for (const [index, at] of work.times.entries()) {
    const before = change
    for (let next = work.changes[change]; next && next.at <= at; next = work.changes[++change]) {
      if (next.is === 'there') memories.set(next.node, new Memory(memory))
      else memories.delete(next.node)
    }
    if (change !== before) way.nodes([...memories.keys()], at)
    for (const there of change === before ? [] : always)
      for (const node of there) if (!memories.has(node)) there.delete(node)
    if (Math.floor(at / 3600) !== hour) {
      hour = Math.floor(at / 3600)
      always[hour] = new Set(memories.keys())
    }
    if (at >= tickAt) {
      way.tick(seen, at)
      seen.clear()
      tickAt += TICK_S
    }
    const model = work.models[index] ?? 0
    const node = way.route(model)
    const size = work.bytes[model] ?? 0
    if (memories.get(node)?.use(model, size)) {
      misses++
      bytes += size
    }
    seen.set(model, (seen.get(model) ?? 0) + 1)
    const counts = served[hour]
    counts?.set(node, (counts.get(node) ?? 0) + 1)
  }
  const balances = served.map((counts, hour) => balance([...(always[hour] ?? [])].map((node) => counts.get(node) ?? 0)))
  const mean = balances.reduce((sum, value) => sum + value, 0) / balances.length
  return {
    way,
    outcome: { name: way.name, balance: { mean, worst: Math.max(...balances) }, moves: way.moves, misses, bytes },
  }
}

/** Of the nodes that were there for the whole hour. */
const balance = (counts: readonly number[]): number =>
  counts.length === 0
    ? 1
    : (Math.max(...counts) * counts.length) /
      Math.max(
        1,
        counts.reduce((a, b) => a + b, 0),
      )

/** The memory of all nodes together, for as long as each was there. */
function byteSeconds({ changes, seconds }: Workload, memory: number): number {
  const gone = new Map(changes.filter(({ is }) => is === 'gone').map(({ node, at }) => [node, at]))
  const there = changes.filter(({ is }) => is === 'there')
  return there.reduce((sum, { node, at }) => sum + ((gone.get(node) ?? seconds) - at) * memory, 0)
}
