import type { Context, Env } from 'hono'
import { answerInfer } from './answer-infer.ts'
import type { BodyLimits } from './body.ts'
import { readBody } from './body.ts'
import { failureOf } from './error-form.ts'
import { HEADER_LENGTH, parseHeaderLength } from './message.ts'
import { parseModelRef } from './model-ref.ts'
import type { InferencePort, ModelRef } from './port.ts'
import type { Serving } from './serving.ts'
import { modelOf } from './serving.ts'

export const infer =
  <E extends Env>(serving: Serving<E>) =>
  async (c: Context<E>): Promise<Response> =>
    answer(await serving.portOf(c), modelOf(c), c.req.raw, serving)

const PATH = /^https?:\/\/[^/]+\/v2\/models\/([^/?#]+)(?:\/versions\/([^/?#]+))?\/infer(?:\?.*)?$/

/**
 * The same route without a router in front, for a server that has little else to do: a small prediction costs about as
 * much as routing it. Undefined for every other request.
 */
export const inferDirectly =
  (port: InferencePort, limits: BodyLimits) =>
  (request: Request): Promise<Response> | undefined => {
    const path = request.method === 'POST' ? PATH.exec(request.url) : null
    // A name that is escaped in the path is for the router to read.
    if (!path?.[1] || path[1].includes('%')) return undefined
    return guarded(port, path[1], path[2], request, limits)
  }

async function guarded(
  port: InferencePort,
  name: string,
  version: string | undefined,
  request: Request,
  limits: BodyLimits,
): Promise<Response> {
  try {
    return await answer(port, parseModelRef(name, version), request, limits)
  } catch (error) {
    const { status, headers, body } = failureOf(error, request.signal)
    return new Response(body, { status, headers })
  }
}

const JSON_HEADERS = { 'Content-Type': 'application/json' }

async function answer(port: InferencePort, model: ModelRef, request: Request, limits: BodyLimits): Promise<Response> {
  const given = parseHeaderLength(request.headers.get(HEADER_LENGTH))
  const message = { body: await readBody(request, limits), ...(given !== undefined && { headerLength: given }) }
  const { body, headerLength } = await answerInfer(port, model, message, request.signal)
  if (headerLength === undefined) return new Response(body, { headers: JSON_HEADERS })
  return new Response(body, {
    headers: { 'Content-Type': 'application/octet-stream', [HEADER_LENGTH]: String(headerLength) },
  })
}
