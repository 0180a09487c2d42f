import * as v from 'valibot'
import { ModelName } from './manifest.ts'

const whole = v.pipe(v.number(), v.integer(), v.minValue(0))

/** The plan in the placement bucket, key `PLAN`: which partition each model's jobs go to. */
export const Placement = v.object({
  partitions: v.pipe(whole, v.minValue(1)),
  models: v.record(ModelName, whole),
})
export type Placement = v.InferOutput<typeof Placement>

/** The last partition belongs to models that are not mapped yet. */
export function partitionOf(placement: Placement, model: string): number {
  const last = placement.partitions - 1
  const mapped = Object.hasOwn(placement.models, model) ? placement.models[model] : undefined
  return mapped === undefined || mapped > last ? last : mapped
}
