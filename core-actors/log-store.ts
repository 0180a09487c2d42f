import type { JetStreamClient } from '@nats-io/jetstream'
import { JetStreamApiError, jetstream } from '@nats-io/jetstream'
import type { Msg, NatsConnection } from '@nats-io/nats-core'
import type { RequestEvent } from '@oriel/protocol/event'
import { PROGRESS, progressSubject } from '@oriel/protocol/subjects'
import * as v from 'valibot'
import type { RawEntry } from './log-entry.ts'

/** JetStream's error code for a publish that the fence refuses, from the server's errors.json. */
const WRONG_LAST_SEQUENCE = 10071
const NOT_FOUND = 404
const PAGE_EVENTS = 256
const PAGE_BYTES = 1024 * 1024
const READ_MS = 5_000

const Purged = v.object({ success: v.optional(v.boolean(), false) })

export interface RawPage {
  readonly entries: readonly RawEntry[]
  /** The log went on when the page was full. */
  readonly more: boolean
}

/** PROGRESS, as a relay reads and writes it. */
export class LogStore {
  readonly #connection: NatsConnection
  readonly #client: JetStreamClient

  constructor(connection: NatsConnection) {
    this.#connection = connection
    this.#client = jetstream(connection)
  }

  /**
   * The log after the sequence `after`, up to a page: one batched direct get (ADR-31 of NATS), which ends with an empty message.
   * The client's own `direct.getBatch` is not used because each call of it leaves a subscription behind.
   */
  async read(shard: number, id: string, after: number): Promise<RawPage> {
    const order = {
      seq: after + 1,
      next_by_subj: progressSubject(shard, id),
      batch: PAGE_EVENTS,
      max_bytes: PAGE_BYTES,
    }
    const replies = await this.#connection.requestMany(`$JS.API.DIRECT.GET.${PROGRESS}`, JSON.stringify(order), {
      strategy: 'sentinel',
      maxWait: READ_MS,
    })
    const entries: RawEntry[] = []
    let end: Msg | undefined
    let pending = 0
    for await (const reply of replies) {
      if (reply.data.length === 0) end = reply
      else {
        entries.push(rawEntry(reply))
        pending = Number(reply.headers?.get('Nats-Num-Pending'))
      }
    }
    if (!end) throw new Error('the broker did not answer a read of a log in time')
    const code = end.headers?.code ?? 0
    if (code > 299 && code !== NOT_FOUND) throw new Error(`a read of a log was refused: ${end.headers?.description}`)
    return { entries, more: pending > 0 }
  }

  /** The last event of a log, if there is any. */
  async last(shard: number, id: string): Promise<RawEntry | undefined> {
    const order = JSON.stringify({ last_by_subj: progressSubject(shard, id) })
    const reply = await this.#connection.request(`$JS.API.DIRECT.GET.${PROGRESS}`, order, { timeout: READ_MS })
    const code = reply.headers?.code ?? 0
    if (code === NOT_FOUND) return undefined
    if (code > 299) throw new Error(`a read of a log was refused: ${reply.headers?.description}`)
    return rawEntry(reply)
  }

  /** Removes a log, which is then written anew from the record. */
  async purge(shard: number, id: string): Promise<void> {
    const order = JSON.stringify({ filter: progressSubject(shard, id) })
    const reply = await this.#connection.request(`$JS.API.STREAM.PURGE.${PROGRESS}`, order, { timeout: READ_MS })
    if (!v.parse(Purged, reply.json()).success) throw new Error('a log could not be removed')
  }

  /** @returns the event's sequence, or `fenced` when the log does not end at `last` */
  async append(shard: number, id: string, event: RequestEvent, last: number): Promise<number | 'fenced'> {
    try {
      const ack = await this.#client.publish(progressSubject(shard, id), JSON.stringify(event), {
        expect: { lastSubjectSequence: last },
      })
      return ack.seq
    } catch (error) {
      if (error instanceof JetStreamApiError && error.code === WRONG_LAST_SEQUENCE) return 'fenced'
      throw error
    }
  }
}

const rawEntry = (reply: Msg): RawEntry => ({
  sequence: Number(reply.headers?.get('Nats-Sequence')),
  payload: reply.data,
  headerOf: (name) => reply.headers?.get(name),
})
