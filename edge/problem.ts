import type { ProblemKind } from '@oriel/protocol/problem'
import { ProblemError, toProblem } from '@oriel/protocol/problem'
import type { Context } from 'hono'
import { HTTPException } from 'hono/http-exception'

const HTTP = {
  'invalid-request': [400, 'Invalid request'],
  'invalid-cursor': [400, 'Invalid cursor'],
  'invalid-event-id': [400, 'Invalid event id'],
  unauthenticated: [401, 'Not authenticated'],
  forbidden: [403, 'Not allowed'],
  'not-found': [404, 'Not found'],
  'model-not-found': [404, 'No such model'],
  'request-conflict': [409, 'Request id already used'],
  'version-conflict': [409, 'Already registered'],
  'upload-conflict': [409, 'Upload is not complete'],
  'content-mismatch': [422, 'Content is not as promised'],
  'model-in-use': [409, 'Model is in use'],
  'not-requeueable': [409, 'Cannot be requeued'],
  'answer-lost': [410, 'Answer lost'],
  'too-large': [413, 'Too large'],
  'input-mismatch': [422, 'Input does not fit the model'],
  'invalid-parameter': [422, 'Parameter does not fit the model'],
  'limit-exceeded': [429, 'Limit exceeded'],
  'queue-full': [503, 'Queue full'],
  unavailable: [503, 'Unavailable'],
  'model-unavailable': [503, 'Model cannot be loaded'],
  'model-damaged': [503, 'Model is damaged'],
  'deadline-exceeded': [504, 'Deadline exceeded'],
  'inference-failed': [500, 'Inference failed'],
  'out-of-memory': [500, 'Out of memory'],
  'host-crashed': [500, 'Model host crashed'],
  'host-hung': [500, 'Model host hung'],
  internal: [500, 'Internal error'],
} as const satisfies Record<ProblemKind, readonly [status: number, title: string]>

/** `app.onError`: every failure leaves the Worker as problem+json, and only a ProblemError shows its detail. */
export function onError(error: Error, c: Context): Response {
  if (error instanceof HTTPException) return respond(c, error.status, undefined, error.message)
  if (!(error instanceof ProblemError)) console.error(error)
  const { kind, detail, retryAfterMs } = toProblem(error)
  if (retryAfterMs !== undefined) c.header('Retry-After', String(Math.ceil(retryAfterMs / 1000)))
  if (kind === 'unauthenticated') c.header('WWW-Authenticate', 'Bearer')
  return respond(c, HTTP[kind][0], kind, detail)
}

export const notFound = (c: Context) => respond(c, 404, 'not-found', 'No such route; GET /openapi.json lists them.')

export function onMethodNotAllowed(c: Context, methods: string[]): Response {
  c.header('Allow', methods.join(', '))
  return respond(c, 405, undefined, `${c.req.path} takes ${methods.join(', ')}.`)
}

/** RFC 9457: the title of `about:blank` is the status phrase. */
const TITLES: Readonly<Record<number, string>> = { 405: 'Method Not Allowed' }

/** Without a kind the status says it all, which RFC 9457 spells `about:blank`. */
function respond(c: Context, status: number, kind: ProblemKind | undefined, detail: string) {
  const named = kind && { type: `urn:oriel:problem:${kind}`, title: HTTP[kind][1] }
  const body = { type: 'about:blank', title: TITLES[status], ...named, status, detail, instance: c.req.path }
  c.header('Content-Type', 'application/problem+json')
  return c.body(JSON.stringify(body), status as 400)
}
