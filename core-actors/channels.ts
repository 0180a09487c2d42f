import type { Page } from './attachment.ts'
import type { About, Pipe } from './channel.ts'
import { Channel } from './channel.ts'
import { type HeaderOf, printEntry } from './log-entry.ts'
import { Turn } from './outlet.ts'

/** A node says something at least every 5 s: a log that is read and quiet for longer is looked at again. */
const QUIET_MS = 6_000
/** A stream of a request that has been quiet for so long is let go. */
const SILENT_MS = 60_000
/** What nobody uses is kept this long: a client that has just submitted asks for the events next. */
const LINGER_MS = 5_000
/** All windows together, characters; past it the oldest requests keep none. */
const MAX_CHARS = 16 * 1024 * 1024

/** The requests of a relay that somebody streams or waits for, or did a moment ago. */
export class Channels {
  readonly #byRequest = new Map<string, Channel>()
  readonly #read: (id: string, after: number) => Promise<Page>
  readonly #pipe: Pipe
  readonly #now: () => number
  readonly #turn = new Turn()

  /** @param read a page of a request's log after a stream sequence */
  constructor(
    read: (id: string, after: number) => Promise<Page>,
    pipe: Pipe = () => new IdentityTransformStream(),
    now: () => number = Date.now,
  ) {
    this.#read = read
    this.#pipe = pipe
    this.#now = now
  }

  get size(): number {
    return this.#byRequest.size
  }

  of(id: string, { model, version, lane }: About): Channel {
    const known = this.#byRequest.get(id)
    if (known) return known
    const channel = new Channel({
      about: { model, version, lane },
      read: (after) => this.#read(id, after),
      pipe: this.#pipe,
      turn: this.#turn,
      now: this.#now,
    })
    this.#byRequest.set(id, channel)
    return channel
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
    for (const channel of this.#byRequest.values()) channel.resync(true)
  }

  beat(): void {
    for (const channel of this.#byRequest.values()) channel.beat()
  }

  /** Looks after the quiet ones: a live event may have been lost with nothing after it to show the gap. */
  sweep(): void {
    const now = this.#now()
    let chars = 0
    for (const [id, channel] of [...this.#byRequest].reverse()) {
      const quietMs = now - channel.quietSince
      const ended = channel.last?.terminal === true
      if (!channel.inUse && quietMs > LINGER_MS) this.#byRequest.delete(id)
      else if (channel.readers > 0 && !ended && quietMs > SILENT_MS) channel.letGo()
      else if (channel.readers > 0 && !ended && now - channel.lookedAt > QUIET_MS) channel.resync(false)
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
