import { HOT_PART } from './bounds.ts'
import { Homes, type NodeCapacity, type PartitionLoad } from './homes.ts'
import { sum } from './shelf.ts'

/** How many nodes are at home in each partition: one, more where one would not be enough, and every node somewhere. */
function replicas(loads: readonly PartitionLoad[], nodes: number): number[] {
  const wanted = loads.map(({ load, hot }) => {
    const enough = hot ? Math.ceil((load * nodes) / HOT_PART) : Math.round(load * nodes)
    return Math.min(nodes, Math.max(1, enough))
  })
  for (let missing = nodes - sum(wanted); missing > 0; missing--) {
    const part = (index: number) => Math.max(loads[index]?.load ?? 0, loads[index]?.count ?? 0) / (wanted[index] ?? 1)
    const open = [...wanted.keys()].filter((index) => (wanted[index] ?? 0) < nodes)
    const heaviest = open.reduce((best, index) => (part(index) > part(best) ? index : best), open[0] ?? 0)
    wanted[heaviest] = (wanted[heaviest] ?? 0) + 1
  }
  return wanted
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
  for (const partition of loads.keys()) {
    const kept = (previous[partition] ?? []).flatMap((name) => sorted.filter((node) => node.name === name))
    const able = kept.filter((node) => homes.mayHave(partition, node))
    for (const node of able.slice(0, wanted[partition])) homes.add(partition, node)
  }
  const weight = (partition: number) => Math.max(loads[partition]?.load ?? 0, loads[partition]?.count ?? 0)
  for (const partition of [...loads.keys()].sort((a, b) => weight(b) - weight(a) || a - b)) {
    while ((homes.of[partition]?.size ?? 0) < (wanted[partition] ?? 0)) if (!homes.fill(partition)) break
  }
  // One node's worth for each that is new, as Slicer limits its churn: the rest can wait for the next plan.
  const known = new Set(previous.flat())
  const joined = sorted.filter(({ name }) => !known.has(name)).length
  homes.balance(Math.ceil(sum(wanted) / nodes.length) * Math.max(1, joined))
  return homes.of.map((names) => [...names].sort())
}
