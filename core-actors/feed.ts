import type { LogState } from '@oriel/protocol/log'
import { EMPTY_LOG, fold } from '@oriel/protocol/log'
import type { Entry, SizedEntry } from './log-entry.ts'

/** The bytes of events that one actor keeps for its readers. One that falls further behind reads the log. */
const WINDOW_BYTES = 256 * 1024

/**
 * The end of one request's log, shared by all who stream it. A reader keeps its own place and asks for
 * what comes after, so a slow one costs nothing: there is no queue per reader that could grow.
 */
export class Feed {
  #window: SizedEntry[] = []
  #bytes = 0
  #readers = new Set<() => void>()
  #state: LogState = EMPTY_LOG
  #sequence = 0
  #closed = false

  get state(): LogState {
    return this.#state
  }

  /** Stream sequence of the last event, 0 for none. */
  get sequence(): number {
    return this.#sequence
  }

  /** Takes the next events; those it has already are passed over. */
  push(entries: readonly SizedEntry[]): void {
    const before = this.#state.n
    for (const entry of entries) {
      if (entry.event.n <= this.#state.n) continue
      this.#state = fold(this.#state, entry.event)
      this.#sequence = entry.sequence
      this.#window.push(entry)
      this.#bytes += entry.bytes
    }
    while (this.#bytes > WINDOW_BYTES && this.#window.length > 1) this.#bytes -= this.#window.shift()?.bytes ?? 0
    if (this.#state.n > before) for (const onEvents of this.#readers) onEvents()
  }

  /** Events with a number above `n`; `behind` when the window no longer reaches back so far. */
  after(n: number): readonly Entry[] | 'behind' {
    if (n >= this.#state.n) return []
    const first = this.#window[0]?.event.n ?? Infinity
    if (n + 1 < first) return 'behind'
    return this.#window.slice(n + 1 - first)
  }

  /** The broker has lost the log and it begins anew. Readers keep their place and wait until it has passed it. */
  restart(): void {
    this.#window = []
    this.#bytes = 0
    this.#state = EMPTY_LOG
    this.#sequence = 0
  }

  /** Nothing more will come from here: readers end, and their clients come back for the rest. */
  close(): void {
    this.#closed = true
    for (const onEvents of this.#readers) onEvents()
  }

  get closed(): boolean {
    return this.#closed
  }

  /** Calls `onEvents` whenever there are new ones. @returns how to end that */
  subscribe(onEvents: () => void): () => void {
    this.#readers.add(onEvents)
    return () => this.#readers.delete(onEvents)
  }
}
