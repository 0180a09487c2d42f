import { MAX_TIMEOUT_MS } from '@oriel/protocol/api'
import { ProblemError } from '@oriel/protocol/problem'
import type { Context } from 'hono'

export const TIMEOUT_HEADER = 'Oriel-Timeout-Ms'

/** How long the caller of a prediction waits, if they say so. @throws ProblemError invalid-request */
export function timeoutOf(c: Context): number | undefined {
  const given = c.req.header(TIMEOUT_HEADER)
  if (given === undefined) return undefined
  const ms = /^[0-9]{1,9}$/.test(given) ? Number(given) : 0
  if (ms >= 1 && ms <= MAX_TIMEOUT_MS) return ms
  const detail = `${TIMEOUT_HEADER}: expected a whole number from 1 to ${MAX_TIMEOUT_MS}.`
  throw new ProblemError({ kind: 'invalid-request', detail })
}
