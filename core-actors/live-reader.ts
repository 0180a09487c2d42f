import { isTerminal } from '@oriel/protocol/event'
import type { Feed } from './feed.ts'
import type { Entry } from './log-entry.ts'
import { SSE_HEARTBEAT, SSE_OPENING, sseOf } from './sse.ts'

export const HEARTBEAT_MS = 10_000

export interface ReaderOptions {
  readonly feed: Feed
  /** Number of the last event the client has, 0 for none. */
  readonly after: number
  /** A page of the log after a sequence, for a reader that the feed has left behind. */
  readonly read: (afterSequence: number) => Promise<readonly Entry[]>
  /** Called once, however the stream ends. `left`: the client went before the terminal event. */
  readonly onClose: (left: boolean) => void
  readonly heartbeatMs?: number
}

/**
 * One client's event stream: bytes are made only when the client takes them, so memory per client is one
 * chunk. The heartbeat is also the probe that notices a client that has gone.
 */
export function liveReader(options: ReaderOptions): ReadableStream<Uint8Array> {
  const { feed, read, onClose, heartbeatMs = HEARTBEAT_MS } = options
  const encoder = new TextEncoder()
  const leaving = new AbortController()
  let n = options.after
  let sequence = 0
  let closed = false
  const close = (left: boolean) => {
    if (!closed) onClose(left)
    closed = true
    leaving.abort()
  }

  /** The next events after `n`, waiting for them; none when it is time for a heartbeat. */
  async function next(): Promise<readonly Entry[]> {
    const deadline = new AbortController()
    const timer = setTimeout(() => deadline.abort(), heartbeatMs)
    const stop = () => deadline.abort()
    leaving.signal.addEventListener('abort', stop)
    try {
      while (!deadline.signal.aborted) {
        const entries = feed.after(n)
        if (entries === 'behind') {
          const page = await read(sequence)
          sequence = page.at(-1)?.sequence ?? sequence
          const fresh = page.filter(({ event }) => event.n > n)
          if (fresh.length > 0 || page.length === 0) return fresh
        } else if (entries.length > 0) return entries
        else await feed.changed(deadline.signal)
      }
      return []
    } finally {
      clearTimeout(timer)
      leaving.signal.removeEventListener('abort', stop)
    }
  }

  return new ReadableStream({
    type: 'bytes',
    start: (controller) => controller.enqueue(encoder.encode(SSE_OPENING)),
    pull: async (controller) => {
      try {
        const entries = await next()
        if (closed) return
        const text = entries.map(({ event }) => sseOf(event)).join('')
        controller.enqueue(encoder.encode(text === '' ? SSE_HEARTBEAT : text))
        const last = entries.at(-1)
        if (!last) return
        n = last.event.n
        sequence = Math.max(sequence, last.sequence)
        if (isTerminal(last.event)) {
          close(false)
          controller.close()
        }
      } catch (error) {
        // The client reconnects with its Last-Event-ID; the log has what it is missing.
        close(false)
        controller.error(error)
      }
    },
    cancel: () => close(true),
  })
}
