import * as v from 'valibot'
import { RequestEvent } from './event.ts'
import { RequestId } from './ids.ts'
import { ModelName, ModelVersion } from './manifest.ts'
import { LANES } from './subjects.ts'

const whole = v.pipe(v.number(), v.integer(), v.minValue(0))

/** Edge → node, on `jobSubject(partition, lane, model)`, with `Nats-Msg-Id` `<id>.<dispatch>`. */
export const Job = v.object({
  id: RequestId,
  /** Which relay has the request: the log's subject is `progressSubject(shard, id)`. */
  shard: whole,
  model: ModelName,
  version: ModelVersion,
  lane: v.picklist(LANES),
  input: v.unknown(),
  /** Checked against the manifest, defaults filled in. */
  parameters: v.record(v.string(), v.union([v.number(), v.boolean(), v.string(), v.array(v.string())])),
  /** ms since the epoch. A node that receives the job after `deadlineAt` writes `expired`. */
  sentAt: whole,
  deadlineAt: whole,
  /** 1, 2, …: how often the actor has dispatched this request. Not the attempt, which nodes count in the log. */
  dispatch: v.pipe(whole, v.minValue(1)),
  /** The whole log when the job was sent, and the sequence of its last event: saves the first attempt a read. */
  log: v.optional(v.object({ events: v.array(RequestEvent), sequence: whole })),
})
export type Job = v.InferOutput<typeof Job>
