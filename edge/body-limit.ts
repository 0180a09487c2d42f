import { ProblemError } from '@oriel/protocol/problem'
import type { MiddlewareHandler } from 'hono'
import { bodyLimit } from 'hono/body-limit'

/** Refuses a body of more than `maxBytes`, and one that breaks off or is not framed as its headers say. */
export function limitBody(maxBytes: number): MiddlewareHandler {
  const limit = bodyLimit({
    maxSize: maxBytes,
    onError: () => {
      throw new ProblemError({ kind: 'too-large', detail: `A body may have ${maxBytes} bytes here.` })
    },
  })
  return async function limitBody(c, next) {
    try {
      return await limit(c, next)
    } catch (cause) {
      // What a later handler throws does not come by here: Hono hands it to `onError` where it was thrown.
      throw cause instanceof ProblemError ? cause : unreadable(cause)
    }
  }
}

export const unreadable = (cause: unknown) =>
  new ProblemError({ kind: 'invalid-request', detail: 'The body could not be read to its end.' }, { cause })
