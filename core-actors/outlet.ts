import { encodeEntries, type RawEntry } from './log-entry.ts'

/** Bytes that may wait for one actor; past it live events are dropped and read from the log later. */
const BUFFER_BYTES = 64 * 1024

export interface OutletOptions {
  /** It has been full and has room again. */
  readonly onRoom: () => void
  /** The reader has gone. */
  readonly onGone: () => void
}

/** The writing end of a stream of entries: one write at a time, and what comes meanwhile leaves together with the next. */
export class Outlet {
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>
  readonly #options: OutletOptions
  #waiting: RawEntry[] = []
  #bytes = 0
  #mode: 'idle' | 'writing' | 'closed' = 'idle'

  constructor(writable: WritableStream<Uint8Array>, options: OutletOptions) {
    this.#writer = writable.getWriter()
    this.#options = options
    this.#writer.closed.catch(() => this.#gone())
  }

  /** @returns whether it takes more */
  write(entry: RawEntry): boolean {
    this.#waiting.push(entry)
    this.#bytes += entry.payload.length
    if (this.#mode === 'idle') {
      this.#mode = 'writing'
      // After this turn: what the broker sent in one piece leaves in one piece.
      queueMicrotask(() => this.#run().catch(() => this.#gone()))
    }
    return this.#bytes < BUFFER_BYTES
  }

  /** The reader sees an end, after what it has been given. */
  close(): void {
    if (this.#mode === 'closed') return
    this.#mode = 'closed'
    this.#writer.close().catch(() => {}) // a reader that has gone already needs no end
  }

  abort(error: unknown): void {
    if (this.#mode === 'closed') return
    this.#mode = 'closed'
    this.#writer.abort(error).catch(() => {}) // likewise
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0 && this.#mode !== 'closed') {
      const batch = this.#waiting
      const full = this.#bytes >= BUFFER_BYTES
      this.#waiting = []
      this.#bytes = 0
      await this.#writer.write(encodeEntries(batch))
      if (full) this.#options.onRoom()
    }
    if (this.#mode === 'writing') this.#mode = 'idle'
  }

  #gone(): void {
    if (this.#mode === 'closed') return
    this.#mode = 'closed'
    this.#waiting = []
    this.#options.onGone()
  }
}
