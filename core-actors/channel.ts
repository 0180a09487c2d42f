import type { RequestEvent } from '@oriel/protocol/event'
import type { Lane } from '@oriel/protocol/subjects'
import type { Page, Place } from './attachment.ts'
import { Attachment } from './attachment.ts'
import type { Budget } from './budget.ts'
import type { PrintedEntry } from './log-entry.ts'
import type { Turn } from './outlet.ts'
import { Outlet } from './outlet.ts'
import { NOBODY, type Runner, runnerAfter, UNKNOWN } from './runner.ts'
import { SSE_OPENING } from './sse.ts'

export type Pipe = () => { readable: ReadableStream<Uint8Array>; writable: WritableStream<Uint8Array> }

/** The text of one request's last events that is kept, in characters, for whoever streams it. */
export const WINDOW_CHARS = 64 * 1024

/** What a relay must know of a request besides its log. */
export interface About {
  readonly model: string
  readonly version: string
  readonly lane: Lane
}

/** Events that are kept of a request that waits: half an hour of them. */
const MAX_PRELUDE = 512

export interface ChannelOptions {
  readonly about: About
  /** A page of the log after a stream sequence. */
  readonly read: (after: number) => Promise<Page>
  /** Makes a stream; in workerd a native one costs far less than one whose source is script. */
  readonly pipe: Pipe
  readonly turn: Turn
  /** Characters that wait for clients, and those that are kept: of all requests together. */
  readonly waiting: Budget
  readonly kept: Budget
  readonly now: () => number
}

/** One request as its relay sees it: the end of its log, everyone who streams it, and who waits for its end. */
export class Channel {
  readonly about: About
  /** When it was last seen to that a waiting request is told how long. */
  newsAt = 0
  readonly #options: ChannelOptions
  readonly #outlets = new Map<Outlet, Attachment>()
  /** A tail of the log without a gap. */
  #window: PrintedEntry[] = []
  #prelude: RequestEvent[] = []
  #chars = 0
  #waiters: ((terminal: PrintedEntry | undefined) => void)[] = []
  #last: PrintedEntry | undefined
  #runner: Runner = UNKNOWN
  #quietSince: number
  #lookedAt: number

  constructor(options: ChannelOptions) {
    this.about = options.about
    this.#options = options
    this.#quietSince = options.now()
    this.#lookedAt = this.#quietSince
  }

  /** The last event of the log, as far as it was heard, or read to its end. */
  get last(): PrintedEntry | undefined {
    return this.#last
  }

  /** Who has it in hand. */
  get runner(): Runner {
    return this.#runner
  }

  get chars(): number {
    return this.#chars
  }

  /** How many stream it. */
  get readers(): number {
    return this.#outlets.size
  }

  /** Somebody streams it, or waits for its end. */
  get inUse(): boolean {
    return this.#outlets.size > 0 || this.#waiters.length > 0
  }

  /** When the last event came, or the last client. */
  get quietSince(): number {
    return this.#quietSince
  }

  /** When the log was last known to be looked at to its end. */
  get lookedAt(): number {
    return this.#lookedAt
  }

  /** What was told before anyone began, from the first event on: of a log that the broker loses, nobody else has that. */
  get prelude(): readonly RequestEvent[] {
    return this.#prelude
  }

  /** The broker has just taken this as the last entry of a new log: what was heard beyond it, it has lost. */
  begun(entry: PrintedEntry): void {
    if (this.#last && this.#last.n > entry.n) this.resync(true)
    this.arrived(entry)
  }

  arrived(entry: PrintedEntry): void {
    if (this.#last && entry.n <= this.#last.n && !this.#isOtherEnd(entry)) return
    if (this.#window.at(-1)?.n !== entry.n - 1) this.drop()
    this.#quietSince = this.#options.now()
    this.#lookedAt = this.#quietSince
    this.#note(entry)
    this.#keep(entry)
    for (const attachment of this.#outlets.values()) attachment.arrived(entry)
    if (entry.terminal) this.#tell(entry)
  }

  /** The events after number `after` as one document, when the request has ended and all of them are at hand. */
  document(after: number): string | undefined {
    const rest = this.#after(after)
    if (!rest?.at(-1)?.terminal) return undefined
    return SSE_OPENING + rest.map(({ text }) => text).join('')
  }

  /**
   * An event stream for one client. It ends after the terminal event, breaks when the log cannot be read, and
   * ends early by `letGo`: a client that sees no terminal event comes back.
   * @param after number of the last event the client has
   */
  open(after: number): ReadableStream<Uint8Array> {
    this.#quietSince = this.#options.now()
    const { readable, writable } = this.#options.pipe()
    const outlet = new Outlet(writable, {
      turn: this.#options.turn,
      budget: this.#options.waiting,
      onRoom: () => attachment.pulled(),
      onGone: () => {
        attachment.close()
        this.#outlets.delete(outlet)
      },
    })
    const attachment = new Attachment(after, (place) => this.#read(place), {
      write: ({ text }) => outlet.write(text),
      end: () => outlet.close(),
      fail: (error) => outlet.abort(error),
    })
    this.#outlets.set(outlet, attachment)
    attachment.resync()
    return readable
  }

  /** The terminal event when it has come; `undefined` when it is to be asked for again. */
  untilEnded(): Promise<PrintedEntry | undefined> {
    if (this.#last?.terminal) return Promise.resolve(this.#last)
    return new Promise((resolve) => this.#waiters.push(resolve))
  }

  /** Events may have been missed. @param afresh the broker was away: what it has now may be another log */
  resync(afresh: boolean): void {
    this.looking()
    this.drop()
    if (afresh) {
      this.#last = undefined
      this.#runner = UNKNOWN
    }
    for (const attachment of this.#outlets.values()) attachment.resync(afresh)
  }

  /** Its log is about to be looked at. */
  looking(): void {
    this.#lookedAt = this.#options.now()
  }

  /** Reads in the log who has it in hand, when that is not known. @throws when the log cannot be read */
  async findRunner(): Promise<void> {
    let runner: Runner = UNKNOWN
    let [n, after] = [0, 0]
    for (let more = this.#runner.mode === 'unknown'; more; ) {
      const page = await this.#options.read(after)
      for (const entry of page.entries) {
        runner = runnerAfter(runner, entry, entry.n === n + 1)
        n = entry.n
      }
      after = page.entries.at(-1)?.sequence ?? after
      more = page.more
    }
    // What came while it was read says it better.
    if (this.#runner.mode === 'unknown' && n >= (this.#last?.n ?? 0)) this.#runner = runner
  }

  /** Its job was given back to the broker on behalf of the node that had it. */
  givenBack(): void {
    this.#runner = NOBODY
  }

  beat(): void {
    for (const outlet of this.#outlets.keys()) outlet.beat()
  }

  /** Whoever streams it comes back, and whoever waits for its end asks again: those that are gone do neither. */
  letGo(): void {
    this.#quietSince = this.#options.now()
    for (const outlet of this.#outlets.keys()) outlet.close()
    this.#tell(undefined)
  }

  /** Forgets the events it keeps; the log has them. */
  drop(): void {
    this.#window = []
    this.#count(-this.#chars)
  }

  #keep(entry: PrintedEntry): void {
    const before = this.#window.pop()
    // Its request was queued again: for who begins to read now that was not the end.
    if (before) this.#window.push(before.terminal ? { ...before, terminal: false } : before)
    this.#window.push(entry)
    this.#count(entry.text.length)
    while (this.#chars > WINDOW_CHARS && this.#window.length > 1) {
      this.#count(-(this.#window.shift()?.text.length ?? 0))
    }
    if (this.#options.kept.spent) this.drop()
  }

  #count(chars: number): void {
    this.#chars += chars
    this.#options.kept.take(chars)
  }

  /** What follows event `n`, when it is at hand. */
  #after(n: number): PrintedEntry[] | undefined {
    const first = this.#window[0]?.n
    // A log that was read further than what came live goes on behind the window.
    if (this.#window.at(-1)?.n !== this.#last?.n) return undefined
    return first === undefined || n + 1 < first ? undefined : this.#window.slice(n + 1 - first)
  }

  async #read({ n, sequence }: Place): Promise<Page> {
    if (this.#last?.terminal && this.#last.n <= n) return { entries: [this.#last], more: false }
    const entries = this.#after(n)
    if (entries) return { entries, more: false }
    const page = await this.#options.read(sequence)
    const end = page.more ? undefined : page.entries.at(-1)
    if (end && end.n > (this.#last?.n ?? 0)) {
      for (const entry of page.entries) if (entry !== end && entry.n > (this.#last?.n ?? 0)) this.#note(entry)
      // One reader's news is everyone's: it may never come live, or come later and be taken for known.
      this.arrived(end)
    }
    return page
  }

  /** The end of a log that is not the one heard so far: that one has gone beyond. */
  #isOtherEnd(entry: PrintedEntry): boolean {
    return entry.terminal && this.#last?.terminal === false
  }

  #note(entry: PrintedEntry): void {
    this.#runner = runnerAfter(this.#runner, entry, entry.n === (this.#last?.n ?? 0) + 1)
    this.#last = entry
    if (entry.started) this.#prelude = []
    const next = entry.n === this.#prelude.length + 1
    if (entry.waiting && next && entry.n <= MAX_PRELUDE) this.#prelude.push(entry.waiting)
  }

  #tell(terminal: PrintedEntry | undefined): void {
    for (const waiter of this.#waiters.splice(0)) waiter(terminal)
  }
}
