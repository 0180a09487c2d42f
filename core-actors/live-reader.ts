import { isTerminal } from '@oriel/protocol/event'
import type { Pipe } from './attachments.ts'
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
  readonly pipe?: Pipe
}

/**
 * One client's event stream: bytes are made only when the client takes them, so memory per client is one
 * chunk. The heartbeat is also the probe that notices a client that has gone.
 */
export function liveReader(options: ReaderOptions): ReadableStream<Uint8Array> {
  const { feed, read, onClose, heartbeatMs = HEARTBEAT_MS, pipe = () => new IdentityTransformStream() } = options
  const encoder = new TextEncoder()
  let n = options.after
  let sequence = 0
  let mode: 'open' | 'closed' = 'open'
  let heartbeatDue = false
  let wake = () => {}

  // One timer and one subscription for the life of the stream: nothing is set up for each event.
  const leave = feed.subscribe(() => wake())
  const heartbeat = setInterval(() => {
    heartbeatDue = true
    wake()
  }, heartbeatMs)
  const close = (left: boolean) => {
    if (mode === 'closed') return
    mode = 'closed'
    leave()
    clearInterval(heartbeat)
    wake()
    onClose(left)
  }

  /** The events after `n`, if there are any yet. */
  async function next(): Promise<readonly Entry[]> {
    for (;;) {
      const entries = feed.after(n)
      if (entries !== 'behind') return entries
      const page = await read(sequence)
      sequence = page.at(-1)?.sequence ?? sequence
      const fresh = page.filter(({ event }) => event.n > n)
      if (fresh.length > 0 || page.length === 0) return fresh
    }
  }

  /** The next bytes to send, waiting for them; none when the stream was closed meanwhile. */
  async function text(): Promise<string> {
    while (mode === 'open') {
      const entries = await next()
      const last = entries.at(-1)
      if (last) {
        n = last.event.n
        sequence = Math.max(sequence, last.sequence)
        if (isTerminal(last.event)) close(false)
        return entries.map(({ event }) => sseOf(event)).join('')
      }
      if (feed.closed) {
        close(false)
        return ''
      }
      if (heartbeatDue) {
        heartbeatDue = false
        return SSE_HEARTBEAT
      }
      await new Promise<void>((resolve) => {
        wake = resolve
      })
    }
    return ''
  }

  // One write at a time: what comes meanwhile waits in the feed, and leaves with the next.
  async function run(writer: WritableStreamDefaultWriter<Uint8Array>): Promise<void> {
    try {
      await writer.write(encoder.encode(SSE_OPENING))
      while (mode === 'open') {
        const bytes = encoder.encode(await text())
        if (bytes.length > 0) await writer.write(bytes)
      }
      await writer.close()
    } catch {
      // The client has gone, or the log cannot be read: it reconnects, and the log has what it is missing.
      close(true)
    }
  }

  const { readable, writable } = pipe()
  const writer = writable.getWriter()
  writer.closed.catch(() => close(true))
  void run(writer)
  return readable
}
