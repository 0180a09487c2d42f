import { SSE_HEARTBEAT, SSE_OPENING } from './sse.ts'

/** Bytes that may wait for one client; past it live events are dropped and read from the log later. */
const BUFFER_BYTES = 64 * 1024

const encoder = new TextEncoder()
const OPENING = encoder.encode(SSE_OPENING)
const HEARTBEAT = encoder.encode(SSE_HEARTBEAT)

export interface OutletOptions {
  /** It has been full and has room again. */
  readonly onRoom: () => void
  /** The reader has gone, or has been given the end. */
  readonly onGone: () => void
}

// The writing end of one client's event stream:
//
//   idle ──write──▶ writing ──nothing waits──▶ idle
//   idle, writing ──close, and what waits is written──▶ closed ◀──abort, the reader goes── idle, writing
//
// One write at a time: what comes meanwhile leaves together with the next.
export class Outlet {
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>
  readonly #options: OutletOptions
  #waiting: Uint8Array[] = [OPENING]
  #bytes = 0
  #mode: 'idle' | 'writing' | 'closed' = 'idle'
  #closing = false

  constructor(writable: WritableStream<Uint8Array>, options: OutletOptions) {
    this.#writer = writable.getWriter()
    this.#options = options
    this.#writer.closed.catch(() => this.#gone())
    this.#start()
  }

  /** @returns whether it takes more */
  write(bytes: Uint8Array): boolean {
    this.#waiting.push(bytes)
    this.#bytes += bytes.length
    this.#start()
    return this.#bytes < BUFFER_BYTES
  }

  /** A sign of life, which is also how a client that has gone is noticed. */
  beat(): void {
    if (this.#mode === 'idle') this.write(HEARTBEAT)
  }

  /** The reader sees an end, after what it has been given. */
  close(): void {
    this.#closing = true
    this.#start()
  }

  abort(error: unknown): void {
    if (this.#mode === 'closed') return
    this.#writer.abort(error).catch(() => {}) // a reader that has gone already needs no end
    this.#gone()
  }

  #start(): void {
    if (this.#mode !== 'idle') return
    this.#mode = 'writing'
    // After this turn: what the broker sent in one piece leaves in one piece.
    queueMicrotask(() => this.#run().catch(() => this.#gone()))
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0 && this.#mode !== 'closed') {
      const batch = this.#waiting
      const full = this.#bytes >= BUFFER_BYTES
      this.#waiting = []
      this.#bytes = 0
      await this.#writer.write(joined(batch))
      if (full) this.#options.onRoom()
    }
    if (this.#mode !== 'writing') return
    if (!this.#closing) {
      this.#mode = 'idle'
      return
    }
    await this.#writer.close()
    this.#gone()
  }

  #gone(): void {
    if (this.#mode === 'closed') return
    this.#mode = 'closed'
    this.#waiting = []
    this.#options.onGone()
  }
}

function joined(batch: readonly Uint8Array[]): Uint8Array {
  const [only] = batch
  if (only && batch.length === 1) return only
  const whole = new Uint8Array(batch.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const bytes of batch) {
    whole.set(bytes, at)
    at += bytes.length
  }
  return whole
}
