import type { RelayPort } from '@oriel/core-actors/relay-port'
import { ProblemError } from '@oriel/protocol/problem'

type Call = (...args: unknown[]) => Promise<unknown>

/** A relay whose calls that are lost, because it was reset meanwhile or cannot be reached, are refused as `unavailable`. */
export function guardedRelay(relay: RelayPort): RelayPort {
  const calls = relay as unknown as Record<string | symbol, Call>
  return new Proxy(relay, {
    get:
      (_, name) =>
      async (...args: unknown[]) => {
        try {
          // Called on the relay itself: to a stub, `apply` would be one more method over there.
          return await calls[name]?.(...args)
        } catch (cause) {
          const detail = 'The answer was lost on its way; try again.'
          throw new ProblemError({ kind: 'unavailable', detail, retryAfterMs: 1_000 }, { cause })
        }
      },
  })
}
