import { oipRoutes } from '@oriel/oip/app'
import { HEADER_LENGTH } from '@oriel/oip/message'
import { MAX_FRAME_BYTES } from '@oriel/protocol/prediction'
import { Hono } from 'hono'
import { cors } from 'hono/cors'
import { methodNotAllowed } from 'hono/method-not-allowed'
import { aliases } from './aliases.ts'
import { artifacts } from './artifacts.ts'
import type { EdgeContext } from './context.ts'
import { deadLetters } from './dead-letters.ts'
import type { Env } from './env.ts'
import { health } from './health.ts'
import { inferencePort } from './inference-port.ts'
import { keys } from './keys.ts'
import { models } from './models.ts'
import { openapi } from './openapi.ts'
import type { Platform } from './platform.ts'
import { predict } from './predict.ts'
import { predictions } from './predictions.ts'
import { notFound, onError, onMethodNotAllowed } from './problem.ts'
import { registry, registryList } from './registry.ts'
import { requests } from './requests.ts'
import { uploads } from './uploads.ts'

/** The HTTP API over a platform: the Worker's, or a test's. */
export function createApp(platformOf: (env: Env) => Platform): Hono<EdgeContext> {
  const app = new Hono<EdgeContext>().onError(onError).notFound(notFound)
  app.use(methodNotAllowed({ app, onMethodNotAllowed }))
  app.use(async (c, next) => {
    c.set('platform', platformOf(c.env))
    await next()
  })
  app.use(
    cors({
      origin: (origin, c) => {
        const { corsOrigins } = c.var.platform as Platform
        return corsOrigins.includes('*') ? '*' : corsOrigins.find((allowed) => allowed === origin)
      },
      allowMethods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
      allowHeaders: [
        'Authorization',
        'Content-Type',
        'Content-Encoding',
        'Last-Event-ID',
        'If-None-Match',
        HEADER_LENGTH,
      ],
      exposeHeaders: ['ETag', 'Location', 'Retry-After', 'RateLimit', 'RateLimit-Policy', HEADER_LENGTH],
      maxAge: 600,
    }),
  )
  app.route('/requests', requests)
  app.route('/models', models)
  app.route('/models', predict)
  app.route('/predictions', predictions)
  app.route('/v2', oipRoutes<EdgeContext>({ portOf: inferencePort, maxBodyBytes: MAX_FRAME_BYTES }))
  app.route('/models', aliases)
  app.route('/models', registry)
  app.route('/registry', registryList)
  app.route('/uploads', uploads)
  app.route('/artifacts', artifacts)
  app.route('/keys', keys)
  app.route('/dead-letters', deadLetters)
  app.route('/', health)
  app.get('/openapi.json', (c) => c.json(openapi()))
  return app
}
