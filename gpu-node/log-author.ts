import { isTerminal, type NewEvent, type RequestEvent } from '@oriel/protocol/event'
import { EMPTY_LOG, fold, type LogState } from '@oriel/protocol/log'
import type { Clock } from './clock.ts'
import { standingOf } from './log-standing.ts'
import type { LogRead, RequestLog } from './request-log.ts'
import { sameEvent } from './same-event.ts'

/*
 * opening ──append(started)──▶ writing ◀──────── restoring: the broker has lost the log, and gets our copy
 *    │  others' events are taken over  └─ after a reconnect, fenced ─▶ looking ──┘│
 *    ▼                                                                           ▼
 *   lost ◀──────────────────── lost: a terminal event, or another attempt, is in the log
 */

/** Why this node writes no more. */
export type Loss =
  | { readonly reason: 'ended' } // by another's hand: the edge's, or an earlier attempt's
  | { readonly reason: 'superseded'; readonly node: string; readonly attempt: number } // we are the zombie
  | { readonly reason: 'gone' } // the broker no longer has what we wrote, and cannot have it again

export interface AuthorOptions {
  readonly log: RequestLog
  readonly shard: number
  readonly id: string
  readonly clock: Clock
  readonly signal: AbortSignal
  /** Where the job is acknowledged, which goes with every `started`. */
  readonly delivery?: () => string | undefined
  /** The broker had lost the log and has it again. */
  readonly onRestored?: () => void
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
  /** Of the connection over which the log was last seen. */
  #epoch: number
  #started: RequestEvent | undefined
  #lastAt = 0
  #loss: Loss | undefined
  #turn: Promise<unknown> = Promise.resolve()

  private constructor(options: AuthorOptions) {
    this.#options = options
    this.#epoch = options.log.epoch
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

  /** From what it was when its request ended here. */
  static remembered(options: AuthorOptions, events: readonly RequestEvent[]): LogAuthor {
    return LogAuthor.hinted(options, { events, sequence: 0 })
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
  append(next: NewEvent | ((state: LogState) => NewEvent)): Promise<Loss | undefined> {
    return this.#inTurn(() => this.#append(typeof next === 'function' ? next : () => next))
  }

  /** After a reconnect: whether the broker still has the log. If it has lost it, it gets our copy, at once. */
  verify(): Promise<Loss | undefined> {
    return this.#inTurn(async () => {
      if (!this.#loss) await this.#look()
      return this.#loss
    })
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

  async #append(next: (state: LogState) => NewEvent): Promise<Loss | undefined> {
    const { log, clock } = this.#options
    const tried: RequestEvent[] = []
    while (!this.#loss) {
      // Sequences begin anew with the broker's state: after a reconnect the fence alone proves nothing.
      if (log.epoch !== this.#epoch) await this.#look()
      else if (this.#state.terminal) return this.#lose({ reason: 'ended' })
      else {
        const { n } = this.#state
        // Clocks of two nodes differ; a log's time does not run backwards.
        const event: RequestEvent = { ...next(this.#state), n: n + 1, at: Math.max(clock.now(), this.#lastAt) }
        tried.push(event)
        const answer = await this.#publish(event, this.#sequence)
        if (answer !== 'fenced') {
          this.#add(event)
          this.#sequence = answer
          return this.#written(event)
        }
        await this.#look(tried)
      }
      const arrived = tried.find((event) => this.#has(event))
      if (arrived) return this.#written(arrived)
    }
    return this.#loss
  }

  #written(event: RequestEvent): Loss | undefined {
    if (event.type === 'started') this.#started = event
    return this.#loss
  }

  /** What the broker has now: more than we know, or less. @param tried what it may have taken without a word */
  async #look(tried: readonly RequestEvent[] = []): Promise<void> {
    const { log, shard, id, signal } = this.#options
    for (let reads = 0; reads < STALE_READS; reads++) {
      if (reads > 0) await this.#pause()
      const { epoch } = log
      const read = await log.read(shard, id, signal)
      const standing = standingOf(this.#events, read.events)
      if (standing.kind === 'replaced') {
        this.#sequence = read.sequence
        this.#epoch = epoch
        return this.#giveWay(read.events)
      }
      if (standing.kind === 'ahead') {
        const fenced = tried.length > 0 && epoch === this.#epoch
        const stale = fenced && standing.news.length === 0 && read.sequence === this.#sequence
        if (stale) continue
        this.#sequence = read.sequence
        this.#epoch = epoch
        return this.#take(standing.news, tried)
      }
      if (await this.#restore(standing.events, read)) {
        this.#epoch = epoch
        return this.#options.onRestored?.()
      }
    }
    this.#lose({ reason: 'gone' })
  }

  #take(news: readonly RequestEvent[], tried: readonly RequestEvent[]): void {
    for (const event of news) this.#add(event)
    const started = this.#started ?? tried.find((event) => event.type === 'started' && this.#has(event))
    const rival = news.findLast((event) => event.type === 'started')
    if (this.#state.terminal) this.#lose({ reason: 'ended' })
    else if (!started) return
    else if (rival?.type === 'started' && !sameEvent(rival, started)) {
      this.#lose({ reason: 'superseded', node: rival.node, attempt: rival.attempt })
    } else if (news.some(isTerminal)) this.#lose({ reason: 'gone' }) // ended, and queued again, for others
  }

  /** Another log stands where ours was. */
  #giveWay(theirs: readonly RequestEvent[]): void {
    const begun = this.#started !== undefined
    this.#adopt(theirs)
    if (this.#state.terminal) this.#lose({ reason: 'ended' })
    if (!begun || this.#loss) return
    const rival = theirs.findLast((event) => event.type === 'started')
    if (rival?.type === 'started') this.#lose({ reason: 'superseded', node: rival.node, attempt: rival.attempt })
    else this.#lose({ reason: 'gone' })
  }

  /** Gives the broker what it has lost. @returns false when another was faster, and it must be looked at again */
  async #restore(events: readonly RequestEvent[], { events: theirs, sequence }: LogRead): Promise<boolean> {
    const missing = events.slice(theirs.length)
    const { n = 0 } = events.at(-1) ?? {}
    // What the relay has said meanwhile stands where our `started` was.
    if (this.#started && missing.length === 0) missing.push({ ...this.#started, n: n + 1 })
    let last = sequence
    for (const event of missing) {
      const answer = await this.#publish(event, last)
      if (answer === 'fenced') return false
      last = answer
    }
    this.#adopt([...events.slice(0, theirs.length), ...missing])
    this.#sequence = last
    return true
  }

  #publish(event: RequestEvent, expected: number): Promise<number | 'fenced'> {
    const { log, shard, id, signal, delivery } = this.#options
    const ours = event.type === 'started' && (!this.#started || this.#started.at === event.at)
    return log.append(shard, id, event, expected, signal, ours ? delivery?.() : undefined)
  }

  #inTurn<T>(action: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(action)
    this.#turn = turn.catch(() => {}) // its caller has the error
    return turn
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => void this.#options.clock.setTimer(STALE_READ_MS, resolve))
  }

  #has(event: RequestEvent): boolean {
    const known = this.#events.findLast(({ n }) => n === event.n)
    return known !== undefined && sameEvent(known, event)
  }

  #adopt(events: readonly RequestEvent[]): void {
    this.#events = []
    this.#state = { ...EMPTY_LOG, n: (events[0]?.n ?? 1) - 1 }
    for (const event of events) this.#add(event)
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
