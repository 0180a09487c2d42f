import type { Problem, ProblemKind } from '@oriel/protocol/problem'
import { ProblemError, toProblem } from '@oriel/protocol/problem'

/**
 * As Triton answers, except that what the caller did wrong is always 400 or 404, also where Triton says 500.
 * The deadline is 503 because Triton's clients know a request that timed out by it.
 */
export const STATUS = {
  'invalid-request': 400,
  'invalid-cursor': 400,
  'invalid-event-id': 400,
  unauthenticated: 401,
  forbidden: 403,
  'not-found': 404,
  'model-not-found': 404,
  'request-conflict': 400,
  'version-conflict': 400,
  'upload-conflict': 400,
  'content-mismatch': 400,
  'model-in-use': 400,
  'not-requeueable': 400,
  'too-large': 400,
  'input-mismatch': 400,
  'invalid-parameter': 400,
  'limit-exceeded': 429,
  'queue-full': 503,
  unavailable: 503,
  'model-unavailable': 503,
  'model-damaged': 503,
  'deadline-exceeded': 503,
  'answer-lost': 500,
  'inference-failed': 500,
  'out-of-memory': 500,
  'host-crashed': 500,
  'host-hung': 500,
  internal: 500,
} as const satisfies Record<ProblemKind, number>

export type Failure = { status: (typeof STATUS)[ProblemKind]; headers: Record<string, string>; body: string }

/** Whatever was thrown in the protocol's own form; only a ProblemError shows its detail. */
export function errorForm(error: unknown): Failure {
  const { kind, detail, retryAfterMs }: Problem = toProblem(error)
  const headers: Record<string, string> = { 'Content-Type': 'application/json' }
  if (retryAfterMs !== undefined) headers['Retry-After'] = String(Math.ceil(retryAfterMs / 1000))
  if (kind === 'unauthenticated') headers['WWW-Authenticate'] = 'Bearer'
  return { status: STATUS[kind], headers, body: JSON.stringify({ error: detail }) }
}

/** The same, for what a request ended with: a bug is logged, and nobody reads what a caller who has left is told. */
export function failureOf(error: unknown, signal: AbortSignal): Failure {
  if (!(error instanceof ProblemError) && !signal.aborted) console.error(error)
  return errorForm(error)
}
