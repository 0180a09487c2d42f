import * as v from 'valibot'
import { ModelName, ModelVersion } from './manifest.ts'
import { Problem } from './problem.ts'

const whole = v.pipe(v.number(), v.integer(), v.minValue(0))

/** A node's heartbeat: the value of its key in the nodes bucket, gone `NODE_TTL_MS` after the last one. */
export const NodeStatus = v.object({
  node: v.string(),
  pid: whole,
  startedAt: whole,
  lastHeartbeat: whole,
  /** `draining` takes no more jobs. */
  mode: v.picklist(['starting', 'serving', 'draining']),
  slots: whole,
  busy: whole,
  hosts: v.array(v.object({ name: v.string(), pid: whole, models: v.array(v.string()) })),
  /** Any version of the registry can be asked of it, but for those that are `unavailable` below. */
  registry: v.optional(v.boolean()),
  models: v.array(
    v.object({
      name: ModelName,
      version: ModelVersion,
      /** `available`: on this node's disk and whole; `loaded`: in memory; `unavailable`: see the problem. */
      state: v.picklist(['available', 'loaded', 'unavailable']),
      problem: v.optional(Problem),
    }),
  ),
})
export type NodeStatus = v.InferOutput<typeof NodeStatus>

export const HEARTBEAT_MS = 3_000
/** Four missed heartbeats: a node that is silent for this long is not counted on. */
export const NODE_TTL_MS = 12_000
