import type { ModelOffer } from '@oriel/core-actors/relay-port'
import type { ModelView } from '@oriel/protocol/api'
import { isoTime } from '@oriel/protocol/iso-time'
import { ModelName } from '@oriel/protocol/manifest'
import { SearchWords } from '@oriel/protocol/model-registry'
import { ProblemError } from '@oriel/protocol/problem'
import { Hono } from 'hono'
import * as v from 'valibot'
import { parse } from './body.ts'
import type { EdgeContext } from './context.ts'
import { authenticate } from './context.ts'

/** The cursor is the last name of the page before. */
const ModelsQuery = v.object({
  q: v.optional(SearchWords),
  nextCursor: v.optional(ModelName),
  limit: v.optional(
    v.pipe(v.string(), v.regex(/^[0-9]{1,4}$/), v.transform(Number), v.minValue(1), v.maxValue(1_000)),
    '1000',
  ),
})

export const models = new Hono<EdgeContext>()

models.get('/', authenticate, async (c) => {
  const { q, nextCursor: after, limit } = parse(ModelsQuery, c.req.query(), 'query')
  const page = await c.var.platform.relay().modelPage({ q, after, limit })
  if (!page.ok) throw new ProblemError(page.problem)
  const last = page.offers.at(-1)?.manifest.name
  return c.json({ models: page.offers.map(viewOf), nextCursor: page.more && last ? last : null, limit })
})

function viewOf({ manifest, versions, aliases, nodes, lastHeartbeat, problem }: ModelOffer): ModelView {
  const { name, version, description, engine, inputs, outputs, parameters, limits } = manifest
  return {
    modelID: name,
    version,
    versions: [...versions],
    aliases,
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
