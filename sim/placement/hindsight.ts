import type { Workload } from './workload.ts'

export interface Bound {
  readonly misses: number
  readonly bytes: number
}

/**
 * What no placement and no eviction could do better, knowing all that comes: the lower bound PFOO-L (Berger, Beckmann
 * and Harchol-Balter, "Practical Bounds on Optimal Caching with Variable Object Sizes", SIGMETRICS 2018). A hit costs
 * its model's bytes for as long as since its last request. All nodes are taken for one memory that has only so many
 * byte seconds altogether; they are spent on the cheapest hits, whenever those are.
 */
export function hindsight({ bytes, times, models }: Workload, byteSeconds: number): Bound {
  const last = new Float64Array(bytes.length).fill(-1)
  let requested = 0
  let again = 0
  const waits = new Float64Array(times.length)
  const costs = new Float64Array(times.length)
  const sizes = new Float64Array(times.length)
  for (const [index, at] of times.entries()) {
    const model = models[index] ?? 0
    const size = bytes[model] ?? 0
    const before = last[model] ?? -1
    requested += size
    if (before >= 0) {
      waits[again] = at - before
      costs[again] = (at - before) * size
      sizes[again] = size
      again++
    }
    last[model] = at
  }
  // Counted in hits, the cheapest are those of the fewest byte seconds; in bytes, those of the shortest wait.
  let hits = 0
  let spent = 0
  for (const cost of costs.subarray(0, again).sort()) {
    spent += cost
    if (spent > byteSeconds) break
    hits++
  }
  const order = Uint32Array.from({ length: again }, (_, index) => index).sort(
    (a, b) => (waits[a] ?? 0) - (waits[b] ?? 0),
  )
  let kept = 0
  let left = byteSeconds
  for (const index of order) {
    const wait = waits[index] ?? 0
    const size = sizes[index] ?? 0
    const part = wait * size <= left ? 1 : left / (wait * size)
    kept += size * part
    left -= wait * size * part
    if (part < 1) break
  }
  return { misses: times.length - hits, bytes: requested - kept }
}
