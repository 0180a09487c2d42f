import { parseModelRef } from '@oriel/oip/model-ref'
import { type PredictionAnswer, PredictionBody } from '@oriel/protocol/api'
import { MAX_FRAME_BYTES } from '@oriel/protocol/prediction'
import { Hono } from 'hono'
import { readJson } from './body.ts'
import { limitBody } from './body-limit.ts'
import { timeoutOf } from './caller-timeout.ts'
import type { EdgeContext } from './context.ts'
import { authenticate } from './context.ts'
import { itemOf, tensorsOf } from './plain-form.ts'
import { predictNow, resolveModel } from './quick-path.ts'

/** Predictions in our own plain form: one item in, one item out, as in a request, and while the caller waits. */
export const predict = new Hono<EdgeContext>()

predict.post('/:model/predict', authenticate, limitBody(MAX_FRAME_BYTES), async (c) => {
  const { platform, caller } = c.var
  const body = await readJson(c, PredictionBody)
  const ref = parseModelRef(c.req.param('model'), body.version)
  const offer = await resolveModel(platform.models, ref, Date.now())
  const call = { inputs: tensorsOf(offer.manifest, body.inputs), parameters: body.parameters }
  const made = await predictNow(platform, offer, call, {
    caller,
    timeoutMs: body.timeoutMs ?? timeoutOf(c),
    signal: c.req.raw.signal,
    waitUntil: (promise) => c.executionCtx.waitUntil(promise),
  })
  const answer: PredictionAnswer = {
    predictionID: made.id,
    modelID: made.model,
    version: made.version,
    outputs: itemOf(offer.manifest, made),
  }
  return c.json(answer)
})
