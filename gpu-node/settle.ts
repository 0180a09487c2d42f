import type { Problem, ProblemKind } from '@oriel/protocol/problem'

// `retry` only where another attempt, perhaps on another node, can end differently: a job that fails the
// same way every time would spend its budget and hold up the jobs behind it.
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
  'not-requeueable': 'discard',
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
 * @param spent attempts that count, with the one that failed
 * @param random from 0 up to 1: spreads the retries of jobs that failed together
 */
export function settle(problem: Problem, spent: number, budget: number, random: number): Settlement {
  const retriable = SETTLEMENT[problem.kind] === 'retry'
  if (!retriable || spent >= budget) return { verdict: 'fail', retriable }
  return { verdict: 'retry', delayMs: Math.max(backoffMs(spent, LAST_RETRY_MS, random), problem.retryAfterMs ?? 0) }
}

/** Twice as long each time. @param tries 1 after the first */
export function backoffMs(tries: number, lastMs: number, random: number): number {
  const fullMs = Math.min(lastMs, FIRST_RETRY_MS * 2 ** (tries - 1))
  return Math.round(fullMs * (0.5 + random / 2))
}
