import type { PrintedEntry } from './log-entry.ts'

/**
 * Who has a request in hand, as far as its relay has heard. `unknown`: the relay was reset, or missed events; the
 * log says it.
 */
export type Runner =
  | { readonly mode: 'nobody' }
  | { readonly mode: 'node'; readonly node: string; readonly delivery: string | undefined }
  | { readonly mode: 'unknown' }

export const NOBODY: Runner = { mode: 'nobody' }
export const UNKNOWN: Runner = { mode: 'unknown' }

/** @param next whether `entry` follows the event before it; one that was missed may have changed hands */
export function runnerAfter(runner: Runner, entry: PrintedEntry, next: boolean): Runner {
  if (entry.started) return { mode: 'node', ...entry.started }
  // It waits (again) for its turn, for its next attempt, or for nothing more.
  if (entry.terminal || entry.type === 'queued' || entry.type === 'retrying' || entry.waitingFor) return NOBODY
  return next ? runner : UNKNOWN
}
