import type { ModelOffer } from '@oriel/core-actors/relay-port'
import type { ModelView } from '@oriel/protocol/api'
import { isoTime } from '@oriel/protocol/iso-time'
import { ProblemError } from '@oriel/protocol/problem'
import { Hono } from 'hono'
import type { EdgeContext } from './context.ts'
import { authenticate } from './context.ts'

export const models = new Hono<EdgeContext>()

models.get('/', authenticate, async (c) => {
  const outcome = await c.var.platform.relay().models()
  if (!outcome.ok) throw new ProblemError(outcome.problem)
  return c.json({ models: outcome.offers.map(viewOf) })
})

function viewOf({ manifest, nodes, lastHeartbeat, problem }: ModelOffer): ModelView {
  const { name, version, description, engine, inputs, outputs, parameters, limits } = manifest
  return {
    modelID: name,
    version,
    description,
    engine,
    inputs,
    outputs,
    parameters,
    timeoutMs: limits.timeoutMs,
    nodes,
    ...(lastHeartbeat !== undefined && { lastHeartbeat: isoTime(lastHeartbeat) }),
    ...(problem && { problem }),
  }
}
