import * as v from 'valibot'
import { ModelName, ModelVersion } from './manifest.ts'
import { Problem } from './problem.ts'

/** Recorder → one node, on `warmSubject(node)`: bring this version into memory, and run it once. */
export const WarmOrder = v.object({ model: ModelName, version: ModelVersion })
export type WarmOrder = v.InferOutput<typeof WarmOrder>

/** The node says something at least this often until it has the answer. */
export const WARM_BEAT_MS = 1_000

/** Node → recorder, on `warmedSubject(node, model, version)`. */
export const WarmAnswer = v.variant('kind', [
  v.object({ kind: v.literal('working') }),
  v.object({ kind: v.literal('warm') }),
  /** The version cannot be run. */
  v.object({ kind: v.literal('unfit'), problem: Problem }),
  /** Not now, not here: nothing is said of the version. */
  v.object({ kind: v.literal('unable'), problem: Problem }),
])
export type WarmAnswer = v.InferOutput<typeof WarmAnswer>
