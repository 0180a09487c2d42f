/** How long a part must have been ready for its death not to count as a failure to start. */
const STEADY_MS = 3_000
const FIRST_DELAY_MS = 200
const LONGEST_DELAY_MS = 5_000
const MOST_FAILURES = 6

export interface Failures {
  /** Deaths in a row, each soon after its start. */
  readonly count: number
}

export const NO_FAILURES: Failures = { count: 0 }

/**
 * What to do about the death of a part that had been ready for `livedMs`. A part that had been steady comes back at once; one that keeps dying
 * waits longer every time, and after six times in a row it is given up: something is wrong that time will not mend.
 */
export function afterDeath({ count }: Failures, livedMs: number): { failures: Failures; delayMs: number | 'give up' } {
  if (livedMs >= STEADY_MS) return { failures: NO_FAILURES, delayMs: 0 }
  const failures = { count: count + 1 }
  if (failures.count >= MOST_FAILURES) return { failures, delayMs: 'give up' }
  return { failures, delayMs: Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** count) }
}
