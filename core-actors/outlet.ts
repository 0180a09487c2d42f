import type { Budget } from './budget.ts'
import { SSE_HEARTBEAT, SSE_OPENING } from './sse.ts'

/** Characters that may wait for one client; past it live events are dropped and read from the log later. */
const BUFFER_CHARS = 64 * 1024
/** The same while what waits for all clients together is too much. */
const SCARCE_CHARS = 4 * 1024

const encoder = new TextEncoder()

export interface OutletOptions {
  /** Writes at the end of this turn: what the broker sent in one piece leaves in one piece. */
  readonly turn: Turn
  /** Characters that wait for all clients together, those that are being written included. */
  readonly budget: Budget
  /** It has been full and has room again. */
  readonly onRoom: () => void
  /** The reader has gone, or has been given the end. */
  readonly onGone: () => void
}

/** What is to be done once at the end of the turn, by whom. One microtask serves everyone. */
export class Turn {
  #waiting: (() => void)[] = []

  atEnd(task: () => void): void {
    if (this.#waiting.push(task) > 1) return
    void Promise.resolve().then(() => {
      for (const due of this.#waiting.splice(0)) due()
    })
  }
}

// Modes:
//
//   idle ──write──▶ writing ──nothing waits──▶ idle
//   idle, writing ──close, and what waits is written──▶ closed ◀──abort, the reader goes── idle, writing

/** The writing end of one client's event stream. One write at a time: what comes meanwhile leaves with the next. */
export class Outlet {
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>
  readonly #options: OutletOptions
  #waiting = SSE_OPENING
  /** Characters taken from the budget. */
  #held = SSE_OPENING.length
  #full = false
  #mode: 'idle' | 'writing' | 'closed' = 'idle'
  #closing = false

  constructor(writable: WritableStream<Uint8Array>, options: OutletOptions) {
    this.#writer = writable.getWriter()
    this.#options = options
    options.budget.take(this.#held)
    this.#writer.closed.catch(() => this.#gone())
    this.#start()
  }

  /** @returns whether it takes more */
  write(text: string): boolean {
    if (this.#mode === 'closed') return false
    this.#waiting += text
    this.#hold(text.length)
    this.#start()
    this.#full ||= this.#waiting.length >= (this.#options.budget.spent ? SCARCE_CHARS : BUFFER_CHARS)
    return !this.#full
  }

  /** A sign of life, which is also how a client that has gone is noticed. */
  beat(): void {
    if (this.#mode === 'idle') this.write(SSE_HEARTBEAT)
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
    this.#options.turn.atEnd(() => this.#next())
  }

  // No async function: this runs for every event of every client.
  #next(): void {
    if (this.#mode !== 'writing') return
    if (this.#waiting === '') {
      this.#rest()
      return
    }
    const bytes = encoder.encode(this.#waiting)
    const written = this.#waiting.length
    this.#waiting = ''
    this.#writer.write(bytes).then(
      () => {
        if (this.#mode === 'closed') return
        this.#hold(-written)
        if (this.#full && this.#waiting === '') {
          this.#full = false
          this.#options.onRoom()
        }
        this.#next()
      },
      () => this.#gone(),
    )
  }

  #rest(): void {
    this.#mode = 'idle'
    if (!this.#closing) return
    const gone = () => this.#gone()
    this.#writer.close().then(gone, gone)
  }

  #gone(): void {
    if (this.#mode === 'closed') return
    this.#mode = 'closed'
    this.#waiting = ''
    this.#hold(-this.#held)
    this.#options.onGone()
  }

  #hold(chars: number): void {
    this.#held += chars
    this.#options.budget.take(chars)
  }
}
