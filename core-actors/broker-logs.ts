import type { RequestEvent } from '@oriel/protocol/event'
import type { RequestId } from '@oriel/protocol/ids'
import type { Page } from './attachment.ts'
import type { Logs } from './channels.ts'
import type { Link } from './link.ts'
import type { PrintedEntry } from './log-entry.ts'
import { printEntry } from './log-entry.ts'
import type { LogStore } from './log-store.ts'
import { type Failure, type Requeued, requeueLog } from './requeue-log.ts'

/** The logs of a relay's requests, as they lie at the broker. */
export class BrokerLogs implements Logs {
  readonly #link: Pick<Link, 'now' | 'back'>
  readonly #shardOf: (id: RequestId) => number
  readonly #listening: (shard: number) => Promise<Pick<LogStore, 'last' | 'read'>>
  /** Logs that are made to go on, and may be written anew for that: until it is done nobody reads an end in them. */
  readonly #requeueing = new Map<string, Promise<unknown>>()

  /** @param listening from then on this relay hears what is written in the shard. @throws when the broker is away */
  constructor(
    link: Pick<Link, 'now' | 'back'>,
    shardOf: (id: RequestId) => number,
    listening: (shard: number) => Promise<Pick<LogStore, 'last' | 'read'>>,
  ) {
    this.#link = link
    this.#shardOf = shardOf
    this.#listening = listening
  }

  get isThere(): boolean {
    return this.#link.now !== undefined
  }

  there(): Promise<void> {
    return this.#link.back()
  }

  async last(id: RequestId): Promise<PrintedEntry | undefined> {
    await this.settled(id)
    const shard = this.#shardOf(id)
    const last = await (await this.#listening(shard)).last(shard, id)
    return last && printEntry(last.payload, last.sequence, last.headerOf)
  }

  async page(id: RequestId, after: number): Promise<Page> {
    await this.settled(id)
    const shard = this.#shardOf(id)
    const { entries, more } = await (await this.#listening(shard)).read(shard, id, after)
    const printed = entries.map(({ payload, sequence, headerOf }) => printEntry(payload, sequence, headerOf))
    // A log goes on after a `failed` when its request is queued again: only its last event can be its end.
    const isLast = (index: number) => index === printed.length - 1 && !more
    return { entries: printed.map((entry, index) => (isLast(index) ? entry : { ...entry, terminal: false })), more }
  }

  /** It is being made to go on: what is heard of it is not to be told. */
  isRequeueing(id: RequestId): boolean {
    return this.#requeueing.has(id)
  }

  /** Once what is in the log stays there. */
  async settled(id: RequestId): Promise<void> {
    await this.#requeueing.get(id)
  }

  /** Makes the log of a failed request go on. @throws when it is not known how far it came */
  async requeue(
    log: Pick<LogStore, 'read' | 'append' | 'purge'>,
    id: RequestId,
    position: number,
    failure: Failure,
  ): Promise<Requeued> {
    const shard = this.#shardOf(id)
    const port = {
      read: (after: number) => log.read(shard, id, after),
      append: (event: RequestEvent, last: number) => log.append(shard, id, event, last),
      purge: () => log.purge(shard, id),
      now: () => Date.now(),
    }
    const requeueing = requeueLog(port, position, failure)
    this.#requeueing.set(id, Promise.allSettled([requeueing])) // readers wait; how it went is told to the actor
    return await requeueing.finally(() => this.#requeueing.delete(id))
  }
}
