import type { RecordedPrediction } from '@oriel/db/predictions'
import type { PredictionView } from '@oriel/protocol/api'
import { RequestId, sentAtOf } from '@oriel/protocol/ids'
import { isoTime } from '@oriel/protocol/iso-time'
import { ModelName } from '@oriel/protocol/manifest'
import { ProblemError } from '@oriel/protocol/problem'
import { Hono } from 'hono'
import * as v from 'valibot'
import { parse } from './body.ts'
import type { EdgeContext } from './context.ts'
import { authenticate } from './context.ts'

const DEFAULT_LIMIT = 20

const Query = v.object({
  model: v.optional(ModelName),
  nextCursor: v.optional(v.string(), ''),
  limit: v.optional(
    v.pipe(v.string(), v.regex(/^[0-9]{1,4}$/), v.transform(Number), v.minValue(1), v.maxValue(100)),
    String(DEFAULT_LIMIT),
  ),
})

/**
 * Predictions that were answered at once, as the record has them: some moments late, and without those that a node lost
 * with itself.
 */
export const predictions = new Hono<EdgeContext>()

predictions.get('/', authenticate, async (c) => {
  const { platform, user } = c.var
  const { model, nextCursor, limit } = parse(Query, c.req.query(), 'query')
  const page = await platform.predictions((record) => record.page(user, model, nextCursor || undefined, limit))
  return c.json({ predictions: page.items.map(viewOf), nextCursor: page.next ?? null, limit })
})

predictions.get('/:id', authenticate, async (c) => {
  const { platform, user } = c.var
  const id = c.req.param('id')
  const found = v.is(RequestId, id) ? await platform.predictions((record) => record.find(user, id)) : undefined
  if (!found) throw new ProblemError({ kind: 'not-found', detail: 'You have no such prediction, or not yet.' })
  return c.json(viewOf(found))
})

const viewOf = ({
  id,
  modelId,
  version,
  status,
  problem,
  tookMs,
  input,
  output,
}: RecordedPrediction): PredictionView => ({
  predictionID: id,
  modelID: modelId,
  version,
  sentAt: isoTime(sentAtOf(id)),
  status,
  ...(problem && { problem }),
  tookMs,
  input,
  ...(output && { output }),
})
