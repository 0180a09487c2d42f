import { ProblemError } from '@oriel/protocol/problem'
import type { Context, Env } from 'hono'
import { Hono } from 'hono'
import { failureOf } from './error-form.ts'
import { generate, generateStream } from './generate-routes.ts'
import { infer } from './infer-route.ts'
import { config, metadata, modelReady, statistics } from './model-routes.ts'
import { index, load, unload } from './repository-routes.ts'
import { live, ready, server } from './server-routes.ts'
import type { Serving } from './serving.ts'

/**
 * The Open Inference Protocol v2 with Triton's extensions, to be mounted at `/v2`. It answers everything below that,
 * errors included, in the protocol's own form.
 */
export function oipRoutes<E extends Env>(serving: Serving<E>): Hono<E> {
  const app = new Hono<E>().onError(onError)
  const on = (method: 'GET' | 'POST', path: string, handler: (c: Context<E>) => Promise<Response>) => {
    app.on(method, path, handler)
    app.all(path, (c) => methodNotAllowed(c, method))
  }
  // The first, because most requests are this one.
  for (const model of ['/models/:model', '/models/:model/versions/:version']) {
    on('POST', `${model}/infer`, infer(serving))
  }
  on('GET', '/', server(serving))
  on('GET', '/health/live', live(serving))
  on('GET', '/health/ready', ready(serving))
  on('GET', '/models/stats', statistics(serving))
  for (const model of ['/models/:model', '/models/:model/versions/:version']) {
    on('GET', model, metadata(serving))
    on('GET', `${model}/ready`, modelReady(serving))
    on('GET', `${model}/config`, config(serving))
    on('GET', `${model}/stats`, statistics(serving))
    on('POST', `${model}/generate`, generate(serving))
    on('POST', `${model}/generate_stream`, generateStream(serving))
  }
  on('POST', '/repository/index', index(serving))
  on('POST', '/repository/models/:model/load', load(serving))
  on('POST', '/repository/models/:model/unload', unload(serving))
  app.all('*', () => {
    throw new ProblemError({ kind: 'not-found', detail: 'Not Found' })
  })
  return app
}

function onError(error: Error, c: Context): Response {
  const { status, headers, body } = failureOf(error, c.req.raw.signal)
  return new Response(body, { status, headers })
}

const methodNotAllowed = (c: Context, method: string): Response =>
  c.json({ error: 'Method Not Allowed' }, 405, { Allow: method === 'GET' ? 'GET, HEAD' : method })
