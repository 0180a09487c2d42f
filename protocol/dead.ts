import * as v from 'valibot'
import { Attempt } from './attempts.ts'
import { Job } from './job.ts'
import { Problem } from './problem.ts'

const whole = v.pipe(v.number(), v.integer(), v.minValue(0))

/** On `deadSubject(model, id)`: a job that failed for good. */
export const Dead = v.object({
  at: whole,
  /** The node that gave it up. */
  node: v.string(),
  /** How often the job was delivered. */
  deliveries: whole,
  problem: Problem,
  /** Of a job: what was tried, and how each attempt ended. */
  attempts: v.optional(v.array(Attempt), []),
  job: v.optional(Job),
  /** Of a message on the jobs' subjects that is not a job: its text, or as much of it as is worth keeping. */
  message: v.optional(v.string()),
})
export type Dead = v.InferOutput<typeof Dead>
