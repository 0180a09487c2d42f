import type { NewEvent, RequestEvent } from '@oriel/protocol/event'
import { EMPTY_LOG, fold, type LogState } from '@oriel/protocol/log'
import type { Clock } from './clock.ts'
import type { LogRead, RequestLog } from './request-log.ts'
import { sameEvent } from './same-event.ts'

/*
 * opening ──append(started)──▶ writing ──▶ (a terminal event)
 *    │  others' events are taken over         │
 *    ▼                                        ▼
 *   lost ◀────────────────────────────────── lost: a terminal event, or another attempt, is in the log
 */

/** Why this node writes no more. */
export type Loss =
  | { readonly reason: 'ended' } // by another's hand: the edge's, or an earlier attempt's
  | { readonly reason: 'superseded'; readonly node: string; readonly attempt: number } // we are the zombie
  | { readonly reason: 'gone' } // the broker no longer has what we wrote

export interface AuthorOptions {
  readonly log: RequestLog
  readonly shard: number
  readonly id: string
  readonly clock: Clock
  readonly signal: AbortSignal
}

/** A replica may be read a moment before it has what fenced us; then it is read again. */
const STALE_READS = 8
const STALE_READ_MS = 100

/** One node's hand on one request's log: it numbers, fences, and finds out who was faster. */
export class LogAuthor {
  readonly #options: AuthorOptions
  #events: RequestEvent[] = []
  #state: LogState = EMPTY_LOG
  #sequence = 0
  #attempt: number | undefined
  #lastAt = 0
  #loss: Loss | undefined

  private constructor(options: AuthorOptions) {
    this.#options = options
  }

  /** From the log itself. `n` is where it stood when the job was sent, should the broker have let go of it since. */
  static async read(options: AuthorOptions, n = 0): Promise<LogAuthor> {
    const author = new LogAuthor(options)
    const { events, sequence } = await options.log.read(options.shard, options.id, options.signal)
    author.#state = { ...EMPTY_LOG, n: events[0] ? events[0].n - 1 : n }
    for (const event of events) author.#add(event)
    author.#sequence = sequence
    return author
  }

  /** From what the job says of its log, which saves a read. Only right before the first attempt. */
  static hinted(options: AuthorOptions, hint: LogRead): LogAuthor {
    const author = new LogAuthor(options)
    for (const event of hint.events) author.#add(event)
    author.#sequence = hint.sequence
    return author
  }

  get state(): LogState {
    return this.#state
  }

  /** What is known of the log, oldest first; it lacks its beginning when the broker has let go of that. */
  get events(): readonly RequestEvent[] {
    return this.#events
  }

  /**
   * Adds the next event. Fenced, it reads on: takes over what others may add (a place in the queue, and
   * before our own `started` also earlier attempts) and asks `next` again; or loses, then and ever after.
   */
  async append(next: NewEvent | ((state: LogState) => NewEvent)): Promise<Loss | undefined> {
    const { log, shard, id, clock, signal } = this.#options
    while (!this.#loss) {
      if (this.#state.terminal) return this.#lose({ reason: 'ended' })
      const made = typeof next === 'function' ? next(this.#state) : next
      // Clocks of two nodes differ; a log's time does not run backwards.
      const event: RequestEvent = { ...made, n: this.#state.n + 1, at: Math.max(clock.now(), this.#lastAt) }
      const answer = await log.append(shard, id, event, this.#sequence, signal)
      if (answer !== 'fenced') {
        if (event.type === 'started') this.#attempt = event.attempt
        this.#add(event)
        this.#sequence = answer
      } else {
        await this.#readOn()
        continue
      }
      return undefined
    }
    return this.#loss
  }

  /** The whole log, for the record. */
  async whole(): Promise<readonly RequestEvent[]> {
    if (this.#events[0]?.n === 1) return this.#events
    const { log, shard, id, signal } = this.#options
    for (let reads = 0; reads < STALE_READS; reads++) {
      if (reads > 0) await this.#pause()
      const { events } = await log.read(shard, id, signal)
      if ((events.at(-1)?.n ?? 0) >= this.#state.n) return events
    }
    return this.#events
  }

  async #readOn(): Promise<void> {
    const { log, shard, id, signal } = this.#options
    for (let reads = 0; reads < STALE_READS; reads++) {
      if (reads > 0) await this.#pause()
      const read = await log.read(shard, id, signal)
      const news = read.events.filter(({ n }) => n > this.#state.n)
      const rival = news.find((event) => event.type === 'started')
      if (news.length === 0) {
        // The broker may have let go of an old log; ours then goes on at its number.
        if (read.events.length > 0 || this.#attempt !== undefined) continue
        this.#sequence = read.sequence
        return
      }
      const known = this.#events.at(-1)
      const same = read.events.find(({ n }) => n === known?.n)
      // A log that was lost and begun anew is not the one we were writing.
      if (known && same && !sameEvent(known, same)) break
      for (const event of news) this.#add(event)
      this.#sequence = read.sequence
      if (this.#state.terminal) this.#lose({ reason: 'ended' })
      else if (rival?.type === 'started' && this.#attempt !== undefined) {
        this.#lose({ reason: 'superseded', node: rival.node, attempt: rival.attempt })
      }
      return
    }
    this.#lose({ reason: 'gone' })
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => void this.#options.clock.setTimer(STALE_READ_MS, resolve))
  }

  #add(event: RequestEvent): void {
    this.#state = fold(this.#state, event)
    this.#events.push(event)
    this.#lastAt = event.at
  }

  #lose(loss: Loss): Loss {
    this.#loss = loss
    return loss
  }
}
