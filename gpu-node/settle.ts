import { isRetriable } from '@oriel/protocol/failure'
import type { Problem } from '@oriel/protocol/problem'

const FIRST_RETRY_MS = 500
const LAST_RETRY_MS = 30_000

/** `fail` writes the terminal `failed`. */
export type Settlement = { readonly verdict: 'retry'; readonly delayMs: number } | { readonly verdict: 'fail' }

/**
 * What becomes of a job whose attempt failed.
 * @param spent attempts that count, with the one that failed
 * @param random from 0 up to 1: spreads the retries of jobs that failed together
 */
export function settle(problem: Problem, spent: number, budget: number, random: number): Settlement {
  if (!isRetriable(problem) || spent >= budget) return { verdict: 'fail' }
  return { verdict: 'retry', delayMs: Math.max(backoffMs(spent, LAST_RETRY_MS, random), problem.retryAfterMs ?? 0) }
}

/** Twice as long each time. @param tries 1 after the first */
export function backoffMs(tries: number, lastMs: number, random: number): number {
  const fullMs = Math.min(lastMs, FIRST_RETRY_MS * 2 ** (tries - 1))
  return Math.round(fullMs * (0.5 + random / 2))
}
