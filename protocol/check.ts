import * as v from 'valibot'
import { Manifest } from './manifest.ts'
import { Problem } from './problem.ts'

/** Recorder → one node, on `CHECK`: can this version be opened, and is its manifest true? */
export const CheckOrder = Manifest
export type CheckOrder = v.InferOutput<typeof CheckOrder>

/** The node says something at least this often until it has the answer. */
export const CHECK_BEAT_MS = 1_000

/** Node → recorder, on `checkedSubject(model, version)`. */
export const CheckAnswer = v.variant('kind', [
  v.object({ kind: v.literal('working') }),
  /** The manifest with what the graph says where it was silent. */
  v.object({ kind: v.literal('fit'), manifest: Manifest }),
  v.object({ kind: v.literal('unfit'), problem: Problem }),
  /** The node could not find out; another, or the same later, may. */
  v.object({ kind: v.literal('unable'), problem: Problem }),
])
export type CheckAnswer = v.InferOutput<typeof CheckAnswer>
