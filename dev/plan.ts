import type { Placement } from '@oriel/protocol/placement'

export const PARTITIONS = 8

/** The first plan: models round robin over all partitions but the last, which belongs to models not mapped yet. */
export function firstPlan(models: readonly string[], partitions = PARTITIONS): Placement {
  const mapped = Math.max(1, partitions - 1)
  return {
    partitions,
    models: Object.fromEntries([...models].sort().map((model, index) => [model, index % mapped])),
  }
}
