import type { Context, Env } from 'hono'
import { answerInfer } from './answer-infer.ts'
import { readBody } from './body.ts'
import { HEADER_LENGTH, parseHeaderLength } from './message.ts'
import type { Serving } from './serving.ts'
import { modelOf } from './serving.ts'

const JSON_HEADERS = { 'Content-Type': 'application/json' }

export const infer =
  <E extends Env>({ portOf, maxBodyBytes }: Serving<E>) =>
  async (c: Context<E>): Promise<Response> => {
    const model = modelOf(c)
    const port = await portOf(c)
    const request = c.req.raw
    const given = parseHeaderLength(request.headers.get(HEADER_LENGTH))
    const message = { body: await readBody(request, maxBodyBytes), ...(given !== undefined && { headerLength: given }) }
    const { body, headerLength } = await answerInfer(port, model, message, request.signal)
    if (headerLength === undefined) return new Response(body, { headers: JSON_HEADERS })
    return new Response(body, {
      headers: { 'Content-Type': 'application/octet-stream', [HEADER_LENGTH]: String(headerLength) },
    })
  }
