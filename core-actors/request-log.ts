import type { RequestEvent } from '@oriel/protocol/event'
import { foldAll } from '@oriel/protocol/log'
import { Feed } from './feed.ts'
import { EntryDecoder } from './log-entry.ts'
import type { RelayPort } from './relay-port.ts'
import type { OpenRequest } from './request.ts'

/** After the stream of a relay broke: how long to wait before attaching again. */
const REATTACH_MS = 250
/** A request that waits says so again this often, to whoever streams it. */
const QUEUED_AGAIN_MS = 4_000

export interface RequestLogOptions {
  readonly request: Pick<OpenRequest, 'id' | 'model'>
  readonly relay: RelayPort
  /** The request has not ended, as far as its actor knows. */
  readonly isOpen: () => boolean
  /** Somebody streams it. */
  readonly isRead: () => boolean
  readonly onEnd: (terminal: RequestEvent) => void
  /** Keeps the object alive while a stream is followed. */
  readonly keepAlive: (work: Promise<void>) => void
}

/** One request's log as its actor has it: read through a relay, and followed into a feed for all who stream. */
export class RequestLog {
  readonly feed = new Feed()
  readonly #options: RequestLogOptions
  #following = false

  constructor(options: RequestLogOptions) {
    this.#options = options
  }

  /**
   * Keeps one stream from the relay open for as long as the request is and somebody reads.
   * @param first a stream that is open already; it is let go if another is being followed
   */
  follow(first?: ReadableStream<Uint8Array>): void {
    const { isOpen, keepAlive } = this.#options
    if (this.#following || !isOpen()) {
      if (first) keepAlive(first.cancel())
      return
    }
    this.#following = true
    keepAlive(
      this.#follow(first).finally(() => {
        this.#following = false
      }),
    )
  }

  /** Brings the feed to the end of the log without a stream. @throws when the log cannot be read */
  async catchUp(): Promise<void> {
    const { relay, request, onEnd } = this.#options
    for (let more = true; more; ) {
      const page = await relay.read(request.id, this.feed.sequence)
      if (!page.ok) throw new Error(page.problem.detail)
      this.feed.push(page.entries.map((entry) => ({ ...entry, bytes: JSON.stringify(entry.event).length })))
      more = page.more
    }
    const { terminal } = this.feed.state
    if (terminal) onEnd(terminal)
  }

  /** Whether the broker has nothing of a log that was there: it has lost its state. @throws when it cannot be asked */
  async isLost(): Promise<boolean> {
    const { relay, request } = this.#options
    const first = await relay.read(request.id, 0)
    if (!first.ok) throw new Error(first.problem.detail)
    return first.entries.length === 0 && this.feed.state.n > 0
  }

  /** @throws when the log cannot be read */
  async readAll(): Promise<RequestEvent[]> {
    const { relay, request } = this.#options
    const events: RequestEvent[] = []
    let after = 0
    for (let more = true; more; ) {
      const page = await relay.read(request.id, after)
      if (!page.ok) throw new Error(page.problem.detail)
      events.push(...page.entries.map(({ event }) => event))
      after = page.entries.at(-1)?.sequence ?? after
      more = page.more
    }
    return events
  }

  /** The log of a request that has ended; `undefined` when the broker has not all of it any more, or is away. */
  async readEnded(): Promise<RequestEvent[] | undefined> {
    try {
      const events = await this.readAll()
      return events[0]?.n === 1 && foldAll(events).terminal ? events : undefined
    } catch (error) {
      console.warn('the log of an ended request cannot be read; the record is asked', error)
      return undefined
    }
  }

  async #follow(first: ReadableStream<Uint8Array> | undefined): Promise<void> {
    const { relay, request, isOpen, isRead, onEnd } = this.#options
    const waiting = setInterval(() => this.#tellPlace(), QUEUED_AGAIN_MS)
    try {
      let stream = first
      while (isOpen()) {
        try {
          stream ??= await relay.attach(request.id, this.feed.sequence)
          const terminal = await this.#take(stream)
          if (terminal) return onEnd(terminal)
        } catch (error) {
          console.warn('the stream from the relay broke', error)
        }
        stream = undefined
        if (!isRead()) return // the alarm looks after the request
        await scheduler.wait(REATTACH_MS)
      }
    } finally {
      clearInterval(waiting)
    }
  }

  /** Feeds a stream until it ends. @returns the terminal event, if that was why */
  async #take(stream: ReadableStream<Uint8Array>): Promise<RequestEvent | undefined> {
    const reader = stream.getReader()
    const decoder = new EntryDecoder()
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return undefined
      this.feed.push(decoder.decode(value))
      const { terminal } = this.feed.state
      if (!terminal) continue
      await reader.cancel() // lets the relay let go
      return terminal
    }
  }

  #tellPlace(): void {
    const { relay, request, isRead } = this.#options
    const { status, n, position } = this.feed.state
    if (status !== 'queued' || !isRead()) return
    const told = relay.requeue(request.id, request.model, { n, sequence: this.feed.sequence, position })
    told.catch((error) => console.warn('a place in the queue could not be told', error))
  }
}
