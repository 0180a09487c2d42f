import type { Problem, ProblemKind } from '@oriel/protocol/problem'
import { MAX_DELIVER } from '@oriel/protocol/streams'

// `retry` only where another attempt, perhaps on another node, can end differently: a job that fails the
// same way every time would come back until its last delivery and hold up the jobs behind it.
const SETTLEMENT = {
  'invalid-request': 'discard',
  'invalid-cursor': 'discard',
  'invalid-event-id': 'discard',
  unauthenticated: 'discard',
  forbidden: 'discard',
  'not-found': 'discard',
  'model-not-found': 'retry', // this node's folder lacks it; another's may not
  'input-mismatch': 'discard',
  'invalid-parameter': 'discard',
  'request-conflict': 'discard',
  'too-large': 'discard',
  'limit-exceeded': 'discard',
  'queue-full': 'retry',
  unavailable: 'retry',
  'model-unavailable': 'retry',
  'model-damaged': 'retry',
  'deadline-exceeded': 'discard',
  'inference-failed': 'retry',
  'host-crashed': 'retry',
  'host-hung': 'retry',
  internal: 'retry',
} as const satisfies Record<ProblemKind, 'retry' | 'discard'>

const FIRST_RETRY_MS = 500
const LAST_RETRY_MS = 30_000

/** `fail` writes the terminal `failed`; `retriable` tells the client whether to send the request again. */
export type Settlement =
  | { readonly verdict: 'retry'; readonly delayMs: number }
  | { readonly verdict: 'fail'; readonly retriable: boolean }

/**
 * What becomes of a job whose attempt failed.
 * @param delivery 1 for the first
 * @param random from 0 up to 1: spreads the retries of jobs that failed together
 */
export function settle(problem: Problem, delivery: number, random: number): Settlement {
  const retriable = SETTLEMENT[problem.kind] === 'retry'
  if (!retriable || delivery >= MAX_DELIVER) return { verdict: 'fail', retriable }
  const backoffMs = Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** (delivery - 1))
  const delayMs = Math.round(backoffMs * (0.5 + random / 2))
  return { verdict: 'retry', delayMs: Math.max(delayMs, problem.retryAfterMs ?? 0) }
}
