import * as v from 'valibot'
import { ModelName } from './manifest.ts'

const whole = v.pipe(v.number(), v.integer(), v.minValue(0))
const share = v.pipe(v.number(), v.minValue(0))

/** The plan in the placement bucket, key `PLAN`: which partition each model's jobs go to, and who takes them first. */
export const Placement = v.object({
  partitions: v.pipe(whole, v.minValue(1)),
  models: v.record(ModelName, whole),
  /** By partition, the nodes that take its jobs first. None: all nodes take them alike. */
  homes: v.optional(v.array(v.array(v.string()))),
  /** By partition, its share of all requests when models were last moved: what the next plan is compared with. */
  loads: v.optional(v.array(share)),
  /** Partitions that belong to one model alone, because it has so much to do. */
  hot: v.optional(v.array(whole)),
  /** Who wrote it: the lease under which a planner worked. A later planner has a higher one. */
  term: v.optional(whole),
})
export type Placement = v.InferOutput<typeof Placement>

/** The last partition belongs to models that are not mapped yet. */
export function partitionOf(placement: Placement, model: string): number {
  const last = placement.partitions - 1
  const mapped = Object.hasOwn(placement.models, model) ? placement.models[model] : undefined
  return mapped === undefined || mapped > last ? last : mapped
}

/** The nodes that are at home in a partition; none when everybody is. */
export const homesOf = ({ homes }: Placement, partition: number): readonly string[] => homes?.[partition] ?? []
