/** What an EventSource waits before it reconnects, ms. */
const RETRY_MS = 500

export const SSE_HEADERS = {
  'Content-Type': 'text/event-stream; charset=utf-8',
  'Cache-Control': 'private, no-store, no-transform',
  // Proxies that buffer would hold the answer back.
  'X-Accel-Buffering': 'no',
} as const

export const SSE_OPENING = `retry: ${RETRY_MS}\n\n`
export const SSE_HEARTBEAT = ': heartbeat\n\n'

export interface Printable {
  readonly n: number
  readonly at: number
  readonly type: string
}

/** One event on the wire: `id` is its number, `event` its type, `data` the rest. Tokens are not for clients. */
export function sseOf(event: Printable): string {
  const { n, at, type, ...rest } = event
  if ('tokens' in rest) delete rest.tokens
  return `id: ${n}\nevent: ${type}\ndata: ${JSON.stringify({ ...rest, sentAt: new Date(at).toISOString() })}\n\n`
}

/** A finished log as one document, from after event `after` on. */
export function sseDocument(events: readonly Printable[], after: number): string {
  return (
    SSE_OPENING +
    events
      .filter((event) => event.n > after)
      .map(sseOf)
      .join('')
  )
}

/** What a Last-Event-ID means: a number that was issued, or `undefined` for none that could have been. */
export function parseEventId(value: string): number | undefined {
  return /^(0|[1-9][0-9]{0,9})$/.test(value) ? Number(value) : undefined
}
