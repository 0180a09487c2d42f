import type { RequestEvent } from '@oriel/protocol/event'
import type { Page } from './attachment.ts'
import { Budget } from './budget.ts'
import type { About, Pipe } from './channel.ts'
import { Channel } from './channel.ts'
import { Gate } from './gate.ts'
import { type HeaderOf, type PrintedEntry, printEntry } from './log-entry.ts'
import { Turn } from './outlet.ts'
import type { Attached, Reading } from './relay-port.ts'
import { SSE_OPENING } from './sse.ts'

/** A node says something at least every 5 s: a log that is read and quiet for longer is looked at again. */
const QUIET_MS = 6_000
/** Who streams a request that has been quiet for so long, or waits for its end, is let go. */
const SILENT_MS = 60_000
/** What nobody uses is kept this long: a client that has just submitted asks for the events next. */
const LINGER_MS = 5_000
/** How long a broker that came back may still be given what it has lost. */
const RESTORED_MS = 10_000
/** All windows together, characters; past it the oldest requests keep none. */
const MAX_CHARS = 16 * 1024 * 1024
/** Until the next sweep there may be more of them, and no more than this. */
const MAX_KEPT_CHARS = 24 * 1024 * 1024
/** What waits for all clients together, characters; past it each has a smaller buffer. */
const MAX_WAITING_CHARS = 16 * 1024 * 1024
/** Pages of logs that are read at a time: after a reconnect every reader wants one. */
const MAX_READS = 64

/** The logs of a relay's requests. Whoever reads one hears of what is written to it from then on. */
export interface Logs {
  /** The broker is there. */
  readonly isThere: boolean
  /** Resolves when it is. */
  there(): Promise<void>
  /** @throws when the broker cannot be reached */
  last(id: string): Promise<PrintedEntry | undefined>
  /** What follows a stream sequence. @throws likewise */
  page(id: string, after: number): Promise<Page>
}

/** The requests of a relay that somebody streams or waits for, or did a moment ago. */
export class Channels {
  readonly #byRequest = new Map<string, Channel>()
  readonly #logs: Logs
  readonly #pipe: Pipe
  readonly #now: () => number
  readonly #turn = new Turn()
  readonly #waiting = new Budget(MAX_WAITING_CHARS)
  readonly #kept = new Budget(MAX_KEPT_CHARS)
  readonly #reads = new Gate(MAX_READS)
  /** When the broker last came back. */
  #backAt = Number.NEGATIVE_INFINITY

  constructor(logs: Logs, pipe: Pipe = () => new IdentityTransformStream(), now: () => number = Date.now) {
    this.#logs = logs
    this.#pipe = pipe
    this.#now = now
  }

  get size(): number {
    return this.#byRequest.size
  }

  /** Characters in memory: what waits for clients, and what is kept for those who come. */
  get chars(): { waiting: number; kept: number } {
    return { waiting: this.#waiting.used, kept: this.#kept.used }
  }

  /** The broker has just come back: what it has lost may yet be told again. */
  get mayBeRestored(): boolean {
    return this.#backAt + RESTORED_MS > this.#now()
  }

  of(id: string, { model, version, lane }: About): Channel {
    const known = this.#byRequest.get(id)
    if (known) return known
    const channel = new Channel({
      about: { model, version, lane },
      read: (after) => this.#page(id, after),
      pipe: this.#pipe,
      turn: this.#turn,
      waiting: this.#waiting,
      kept: this.#kept,
      now: this.#now,
    })
    this.#byRequest.set(id, channel)
    return channel
  }

  /** What was told of a request while it waits, from the first event on, as far as it was heard. */
  told(id: string): readonly RequestEvent[] {
    return this.#byRequest.get(id)?.prelude ?? []
  }

  /** The terminal event of a request when it has come; `undefined` when it has to be asked for again. */
  untilEnded(id: string, about: About): Promise<PrintedEntry | undefined> {
    const channel = this.of(id, about)
    const ended = channel.untilEnded()
    // A request that was submitted here has been heard since its first event; of any other the log must tell.
    if (!channel.last) this.#look(id, channel)
    return ended
  }

  /** The events of a request as one client gets them. */
  async attach(id: string, { after, ended, renewed, ...about }: Reading): Promise<Attached> {
    const text = this.of(id, about).document(after)
    if (text !== undefined) return { kind: 'whole', text }
    try {
      if (after > 0 || ended) {
        const { last } = await this.#heard(id, about)
        if (ended && !last?.terminal) return { kind: 'missing' }
        if (last?.terminal && last.n === after) return { kind: 'over' }
        // A log that the broker has lost is written again by the node that has it: until then it is short, or empty.
        const short = !last || this.mayBeRestored
        if (after > (last?.n ?? 0) && !renewed && !short) return { kind: 'unissued' }
        if (last?.terminal && after > last.n) return { kind: 'whole', text: SSE_OPENING + last.text }
      }
      if (ended) return await this.#whole(id, after)
    } catch (error) {
      if (ended) return { kind: 'missing' }
      console.warn('the broker cannot be asked; its log is read when it is back', error)
    }
    return { kind: 'live', body: this.of(id, about).open(after) }
  }

  /** A channel that knows the last event of its log. */
  async #heard(id: string, about: About): Promise<Channel> {
    const last = await this.#logs.last(id)
    // Only now: one that nobody used may have been forgotten meanwhile.
    const channel = this.of(id, about)
    if (last && last.n > (channel.last?.n ?? 0)) channel.arrived(last)
    return channel
  }

  /** Sees where the log of a request stands that nobody streams. */
  #look(id: string, channel: Channel): void {
    channel.looking()
    const look = async () => {
      await this.#logs.there()
      const last = await this.#reads.through(() => this.#logs.last(id))
      if (last && last.n > (channel.last?.n ?? 0)) channel.arrived(last)
    }
    look().catch((error) => console.warn('a log cannot be looked at; the sweep will try again', error))
  }

  /** A log that has ended, as one document. */
  async #whole(id: string, after: number): Promise<Attached> {
    const entries: PrintedEntry[] = []
    let sequence = 0
    for (let more = true; more; ) {
      const page = await this.#page(id, sequence)
      entries.push(...page.entries)
      sequence = page.entries.at(-1)?.sequence ?? sequence
      more = page.more
    }
    if (entries[0]?.n !== 1 || !entries.at(-1)?.terminal) return { kind: 'missing' }
    const rest = entries.filter(({ n }) => n > after)
    return { kind: 'whole', text: SSE_OPENING + rest.map(({ text }) => text).join('') }
  }

  /** Waits for a broker that is away: nobody who streams would gain by a stream that breaks. */
  async #page(id: string, after: number): Promise<Page> {
    for (;;) {
      await this.#logs.there()
      try {
        return await this.#reads.through(() => this.#logs.page(id, after))
      } catch (error) {
        if (this.#logs.isThere) throw error
      }
    }
  }

  /** An entry of any request's log, as the broker republished it; nothing is parsed that nobody wants. */
  arrived(id: string, payload: Uint8Array, headerOf?: HeaderOf): void {
    this.#byRequest.get(id)?.arrived(printEntry(payload, undefined, headerOf))
  }

  /** Every open request, with who has it in hand. */
  *open(): Iterable<{ id: string; channel: Channel }> {
    for (const [id, channel] of this.#byRequest) if (!channel.last?.terminal) yield { id, channel }
  }

  /** After the subscription was down: whatever came meanwhile is in the logs. */
  resyncAll(): void {
    this.#backAt = this.#now()
    for (const [id, channel] of this.#byRequest) {
      channel.resync(true)
      if (channel.readers === 0 && channel.inUse) this.#look(id, channel)
    }
  }

  beat(): void {
    for (const channel of this.#byRequest.values()) channel.beat()
  }

  /**
   * Looks after the quiet ones: a live event may have been lost with nothing after it to show the gap.
   * @param up the broker is there; while it is not, every log is quiet, and streams wait for `resyncAll`
   */
  sweep(up = true): void {
    const now = this.#now()
    let chars = 0
    for (const [id, channel] of [...this.#byRequest].reverse()) {
      const quietMs = now - channel.quietSince
      const open = up && !channel.last?.terminal
      if (!channel.inUse && quietMs > LINGER_MS) {
        channel.drop()
        this.#byRequest.delete(id)
      } else if (open && quietMs > SILENT_MS) channel.letGo()
      else if (open && now - channel.lookedAt > QUIET_MS) {
        if (channel.readers > 0) channel.resync(false)
        else if (!channel.last) this.#look(id, channel)
      }
      chars += channel.chars
      if (chars > MAX_CHARS) channel.drop()
    }
  }

  /**
   * Requests that somebody streams, that no node has in hand, and that have heard nothing for `quietMs` or longer: at
   * most `max` of them, the longest first. They are not named again until that long after.
   */
  waiting(quietMs: number, max: number): (About & { id: string })[] {
    const now = this.#now()
    const silentSince = ({ channel }: { channel: Channel }) => Math.max(channel.quietSince, channel.newsAt)
    const named = [...this.open()]
      .filter(({ channel }) => channel.readers > 0 && channel.runner.mode === 'nobody')
      .filter((request) => silentSince(request) <= now - quietMs)
      .sort((a, b) => silentSince(a) - silentSince(b))
      .slice(0, max)
    return named.map(({ id, channel }) => {
      channel.newsAt = now
      return { id, ...channel.about }
    })
  }
}
