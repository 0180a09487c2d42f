import type { PrintedEntry } from './log-entry.ts'

// One reader of one request's log. Replay and live are the same path:
//
//   replaying ──read to the end of the log, held live entries join──▶ live
//   live ──a gap, a reconnect, a long quiet──▶ replaying
//   live, replaying ──the sink is full──▶ full ──the sink pulls──▶ replaying
//   any ──close, the terminal event──▶ closed
//
// Entries leave in the order of their numbers, each once. What arrives live while the mode is not `live` is
// held (a few) or dropped (the rest): the log has it. Only an end counts also below the reader's place: the broker
// lost the log, and the one that was written instead is over.
type Mode = 'replaying' | 'live' | 'full' | 'closed'

export interface Page {
  readonly entries: readonly PrintedEntry[]
  /** The log went on when the page was full. */
  readonly more: boolean
}

/** Where a reader is. */
export interface Place {
  /** Number of the last event it has. */
  readonly n: number
  /** Stream sequence that the log is to be read after: of an event it has. */
  readonly sequence: number
}

export interface Sink {
  /** False: take no more until `pulled()`. */
  write(entry: PrintedEntry): boolean
  /** Nothing follows what was written. */
  end(): void
  fail(error: unknown): void
}

const MAX_HELD = 64

export class Attachment {
  #mode: Mode = 'live'
  #n: number
  #sequence = 0
  #held: PrintedEntry[] = []
  #again = false
  #afresh = false

  readonly #read: (after: Place) => Promise<Page>
  readonly #sink: Sink

  /** @param after number of the last event the reader has; 0 for none */
  constructor(after: number, read: (after: Place) => Promise<Page>, sink: Sink) {
    this.#n = after
    this.#read = read
    this.#sink = sink
  }

  get mode(): Mode {
    return this.#mode
  }

  /** An entry as the broker republished it. */
  arrived(entry: PrintedEntry): void {
    if (this.#mode === 'closed' || this.#mode === 'full' || !this.#isNews(entry)) return
    if (this.#mode === 'replaying') {
      if (this.#held.length < MAX_HELD) this.#held.push(entry)
      else this.#again = true
      return
    }
    if (entry.n <= this.#n + 1) this.#take(entry)
    else this.resync()
  }

  /**
   * Reads the log from the reader's place on: at the start, after a quiet that is suspicious.
   * @param afresh from the log's start: after a reconnect the broker may have another log, whose sequences begin anew
   */
  resync(afresh = false): void {
    this.#afresh ||= afresh
    if (this.#mode === 'replaying') this.#again = true
    if (this.#mode !== 'live') return
    this.#mode = 'replaying'
    this.#replay().catch((error) => {
      this.close()
      this.#sink.fail(error)
    })
  }

  /** The sink has room again. */
  pulled(): void {
    if (this.#mode !== 'full') return
    this.#mode = 'live'
    this.resync()
  }

  close(): void {
    this.#mode = 'closed'
    this.#held = []
  }

  async #replay(): Promise<void> {
    do {
      this.#again = false
      if (this.#afresh) this.#sequence = 0
      this.#afresh = false
      const page = await this.#read({ n: this.#n, sequence: this.#sequence })
      const end = page.more ? undefined : page.entries.at(-1)
      for (const entry of page.entries) {
        if (this.#mode !== 'replaying') return
        this.#sequence = entry.sequence ?? this.#sequence
        // A `failed` that is not the last was queued again.
        if (entry.n > this.#n || (entry === end && entry.terminal)) this.#take(entry)
      }
      this.#again ||= page.more
      this.#drain()
    } while (this.#again && this.#mode === 'replaying')
    if (this.#mode === 'replaying') this.#mode = 'live'
  }

  #drain(): void {
    const held = this.#held
    this.#held = []
    for (const entry of held) {
      if (this.#mode !== 'replaying') return
      if (!this.#isNews(entry)) continue
      if (entry.n > this.#n + 1) {
        this.#again = true
        return
      }
      this.#take(entry)
    }
  }

  #isNews(entry: PrintedEntry): boolean {
    return entry.n > this.#n || entry.terminal
  }

  #take(entry: PrintedEntry): void {
    const room = entry.n === this.#n || this.#sink.write(entry) // an end at the reader's place is one it has
    this.#n = entry.n
    if (entry.terminal) {
      this.close()
      this.#sink.end()
    } else if (!room) {
      this.#mode = 'full'
      this.#held = []
    }
  }
}
