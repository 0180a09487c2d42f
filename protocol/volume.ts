import * as v from 'valibot'
import { ModelName } from './manifest.ts'

const whole = v.pipe(v.number(), v.integer(), v.minValue(0))

/** What a relay tells of its shard: requests for each model since it told last. */
export const Volume = v.object({
  shard: whole,
  counts: v.record(ModelName, whole),
})
export type Volume = v.InferOutput<typeof Volume>

/** Between two tellings, when there was anything. */
export const VOLUME_MS = 5_000
