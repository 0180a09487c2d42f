import type { Context, Env } from 'hono'
import type { BodyLimits } from './body.ts'
import { parseModelRef } from './model-ref.ts'
import type { InferencePort, ModelRef } from './port.ts'

/** What the routes stand on. */
export type Serving<E extends Env> = BodyLimits & {
  /** The port for one request. What it throws (a caller who is not allowed) is told in the protocol's form, before a body is read. */
  portOf(c: Context<E>): InferencePort | Promise<InferencePort>
  /** How long a stream may say nothing before a comment is sent. */
  heartbeatMs?: number
}

/** The model in the path. @throws ProblemError model-not-found */
export const modelOf = (c: Context): ModelRef => parseModelRef(c.req.param('model') ?? '', c.req.param('version'))
