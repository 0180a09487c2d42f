import type { RawEntry } from './log-entry.ts'

// One reader of one request's log. Replay and live are the same path:
//
//   replaying ──read to the end of the log, held live entries join──▶ live
//   live ──a gap, a reconnect, a long quiet──▶ replaying
//   live, replaying ──the sink is full──▶ full ──the sink pulls──▶ replaying
//   any ──close──▶ closed
//
// Entries leave in the order of the log, each once. What arrives live while the mode is not `live` is
// held (a few) or dropped (the rest): the log has it.
type Mode = 'replaying' | 'live' | 'full' | 'closed'

export interface LiveEntry extends RawEntry {
  /** `Nats-Last-Sequence`: the sequence of the event before this one in the same log, 0 for the first. */
  readonly previous: number
}

export interface Page {
  readonly entries: readonly RawEntry[]
  /** The log went on when the page was full. */
  readonly more: boolean
}

export interface Sink {
  /** False: take no more until `pulled()`. */
  write(entry: RawEntry): boolean
  fail(error: unknown): void
}

const MAX_HELD = 64

export class Attachment {
  #mode: Mode = 'live'
  #cursor: number
  #held: LiveEntry[] = []
  #again = false
  /** Counts entries, so that an owner can tell quiet from busy. */
  taken = 0

  readonly #read: (after: number) => Promise<Page>
  readonly #sink: Sink

  /** @param after sequence of the last entry the reader has; 0 for none */
  constructor(after: number, read: (after: number) => Promise<Page>, sink: Sink) {
    this.#cursor = after
    this.#read = read
    this.#sink = sink
  }

  get mode(): Mode {
    return this.#mode
  }

  /** An entry as the broker republished it. */
  arrived(entry: LiveEntry): void {
    if (this.#mode === 'closed' || this.#mode === 'full' || entry.sequence <= this.#cursor) return
    if (this.#mode === 'replaying') {
      if (this.#held.length < MAX_HELD) this.#held.push(entry)
      else this.#again = true
      return
    }
    if (entry.previous === this.#cursor) this.#take(entry)
    else this.resync()
  }

  /** Reads the log from the cursor on: at the start, after a reconnect, after a quiet that is suspicious. */
  resync(): void {
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
      const page = await this.#read(this.#cursor)
      for (const entry of page.entries) {
        if (this.#mode !== 'replaying') return
        this.#take(entry)
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
      if (entry.sequence <= this.#cursor) continue
      if (entry.previous !== this.#cursor) {
        this.#again = true
        return
      }
      this.#take(entry)
    }
  }

  #take(entry: RawEntry): void {
    this.#cursor = entry.sequence
    this.taken += 1
    if (!this.#sink.write(entry)) {
      this.#mode = 'full'
      this.#held = []
    }
  }
}
