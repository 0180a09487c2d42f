import { JetStreamApiError } from '@nats-io/jetstream'
import { NoRespondersError, PermissionViolationError, RequestError, TimeoutError } from '@nats-io/nats-core'
import { Interrupted, type NatsLink } from './nats-link.ts'

const FIRST_MS = 50
const LAST_MS = 1_000

/** The broker is away, starting, or could not be heard: asking again can end differently. */
export function isTransient(error: unknown): boolean {
  if (error instanceof JetStreamApiError) return error.status >= 500
  if (error instanceof RequestError && error.cause instanceof PermissionViolationError) return false
  // JetStream is told apart from a broker that is still starting by name: the client does not export the class.
  if (error instanceof Error && error.name === 'JetStreamNotEnabled') return true
  return [Interrupted, TimeoutError, NoRespondersError, RequestError].some((kind) => error instanceof kind)
}

/**
 * Asks until the broker answers, across reconnects. Only for what may be asked twice.
 * @throws what the broker refuses for good; AbortError
 */
export async function persist<T>(link: NatsLink, ask: () => Promise<T>, signal?: AbortSignal): Promise<T> {
  for (let waitMs = FIRST_MS; ; waitMs = Math.min(LAST_MS, waitMs * 2)) {
    await link.connected(signal)
    try {
      return await link.during(ask)
    } catch (error) {
      if (!isTransient(error) || link.nc.isClosed()) throw error
    }
    await pause(waitMs, signal)
  }
}

/** @throws AbortError */
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = () => {
      clearTimeout(timer)
      reject(signal?.reason)
    }
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', abort)
      resolve()
    }, ms)
    if (signal?.aborted) abort()
    else signal?.addEventListener('abort', abort, { once: true })
  })
}
