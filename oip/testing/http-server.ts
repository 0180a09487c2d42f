import { Hono } from 'hono'
import { oipRoutes } from '../app.ts'
import type { InferencePort } from '../port.ts'

/** The routes over a port on a free port of this machine, with nothing else around them. */
export function startHttpServer(port: InferencePort, maxBodyBytes = 64 * 1024 * 1024) {
  const app = new Hono().route('/v2', oipRoutes({ portOf: () => port, maxBodyBytes }))
  const server = Bun.serve({ port: 0, hostname: '127.0.0.1', fetch: app.fetch, maxRequestBodySize: maxBodyBytes })
  return { url: `http://127.0.0.1:${server.port}`, stop: () => server.stop(true) }
}
