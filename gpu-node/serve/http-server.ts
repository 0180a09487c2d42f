import { oipRoutes } from '@oriel/oip/app'
import { errorForm } from '@oriel/oip/error-form'
import { inferDirectly } from '@oriel/oip/infer-route'
import type { InferencePort } from '@oriel/oip/port'
import { ProblemError } from '@oriel/protocol/problem'
import { Hono } from 'hono'
import type { Admission } from './admission.ts'
import { isStream, untilRead } from './until-read.ts'

/** s. The longest that Bun has: a connection is silent for as long as a model runs. */
const IDLE_S = 255

export interface HttpOptions {
  readonly port: number
  readonly hostname: string
  readonly inference: InferencePort
  readonly admission: Admission
  readonly maxBodyBytes: number
  readonly metrics: { readonly contentType: string; text(): Promise<string> }
}

export interface HttpServer {
  readonly url: string
  /** Takes nothing new. Resolves when all that was begun has been answered, or after `ms`; then nothing is left. */
  drain(ms: number): Promise<void>
}

/** @throws Error that says what to do when the port cannot be had */
export function startHttp(options: HttpOptions): HttpServer {
  const { port, hostname, inference, admission, maxBodyBytes, metrics } = options
  /** Bytes that a request has grown by since it was admitted. */
  const grown = new WeakMap<Request, number>()
  const limits = {
    maxBodyBytes,
    reserve(request: Request, bytes: number) {
      if (!admission.grow(bytes)) throw new ProblemError(FULL)
      grown.set(request, (grown.get(request) ?? 0) + bytes)
    },
  }
  const app = new Hono()
    .route('/v2', oipRoutes({ portOf: () => inference, ...limits }))
    .get('/metrics', async (c) => c.body(await metrics.text(), 200, { 'Content-Type': metrics.contentType }))
    .notFound((c) => c.json({ error: 'There is nothing here: the models are under /v2.' }, 404))
  const direct = inferDirectly(inference, limits)
  let isDraining = false

  async function admit(request: Request): Promise<Response> {
    const bytes = sizeOf(request, maxBodyBytes)
    if (isDraining || !admission.enter(bytes)) return refuse(isDraining)
    let isInside = true
    const leave = () => {
      if (isInside) admission.leave(bytes + (grown.get(request) ?? 0))
      isInside = false
    }
    try {
      const response = await (direct(request) ?? app.fetch(request))
      if (isStream(response)) {
        // It holds a model for as long as it is read.
        request.signal.addEventListener('abort', leave, { once: true })
        return untilRead(response, leave)
      }
      leave()
      return response
    } catch (error) {
      leave()
      throw error
    }
  }

  // Bun's own limit answers without a word; the routes have the same limit, and stop reading there.
  const maxRequestBodySize = Number.MAX_SAFE_INTEGER
  const server = listen({ port, hostname, idleTimeout: IDLE_S, maxRequestBodySize }, (request) =>
    // What is asked by GET is small, and a probe must be answered under any load.
    request.method === 'POST' ? admit(request) : app.fetch(request),
  )
  return {
    url: `http://${urlHost(hostname)}:${server.port}`,
    async drain(ms) {
      isDraining = true
      const late = Promise.withResolvers<void>()
      const timer = setTimeout(late.resolve, ms)
      await Promise.race([server.stop(), late.promise])
      clearTimeout(timer)
      await server.stop(true)
    },
  }
}

type Listening = { port: number; hostname: string; idleTimeout: number; maxRequestBodySize: number }

function listen(where: Listening, fetch: (request: Request) => Response | Promise<Response>) {
  try {
    return Bun.serve({ ...where, fetch })
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? cause.code : undefined
    const { port, hostname } = where
    if (code === 'EADDRINUSE') {
      throw new Error(`Port ${port} is taken by another program. --http 0 takes a free one.`, { cause })
    }
    if (code === 'EACCES') throw new Error(`Port ${port} needs more rights. Those above 1023 do not.`, { cause })
    throw new Error(`Nothing can listen at ${hostname}:${port}: ${cause instanceof Error ? cause.message : cause}`, {
      cause,
    })
  }
}

/** Of a body without a length it is only known what it may have; one that is too large is refused before it is read. */
function sizeOf(request: Request, maxBodyBytes: number): number {
  const length = request.headers.get('Content-Length')
  return length === null ? maxBodyBytes : Math.min(Number(length), maxBodyBytes)
}

const FULL = {
  kind: 'unavailable',
  detail: 'The server has as many requests as it can hold; try again.',
  retryAfterMs: 1_000,
} as const
const STOPPING = { ...FULL, detail: 'The server is stopping.' } as const

function refuse(isDraining: boolean): Response {
  const { status, headers, body } = errorForm(new ProblemError(isDraining ? STOPPING : FULL))
  return new Response(body, { status, headers: isDraining ? { ...headers, Connection: 'close' } : headers })
}

/** An address that a person can open. */
function urlHost(hostname: string): string {
  if (hostname === '0.0.0.0' || hostname === '::') return 'localhost'
  return hostname.includes(':') ? `[${hostname}]` : hostname
}
