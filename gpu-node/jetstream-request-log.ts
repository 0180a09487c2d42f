import { JetStreamApiCodes, JetStreamApiError, type JetStreamClient, jetstream } from '@nats-io/jetstream'
import { headers } from '@nats-io/nats-core'
import { RequestEvent } from '@oriel/protocol/event'
import { describeIssues } from '@oriel/protocol/problem'
import { DELIVERY_HEADER, PROGRESS, progressSubject } from '@oriel/protocol/subjects'
import * as v from 'valibot'
import type { NatsLink } from './nats-link.ts'
import type { LogRead, RequestLog } from './request-log.ts'
import { isTransient, pause, persist } from './retry.ts'
import { sameEvent } from './same-event.ts'

interface Stored {
  readonly event: RequestEvent
  readonly sequence: number
}

const FENCED: readonly number[] = [
  JetStreamApiCodes.StreamWrongLastSequence,
  JetStreamApiCodes.StreamWrongLastSequenceUnknown,
]
/** The broker sends at most 1,024 messages for one direct get, and fewer when they are large. */
const BATCH = 1_000
const TIMEOUT_MS = 5_000
const READ_AGAIN_MS = 100

export class JetStreamRequestLog implements RequestLog {
  readonly #link: NatsLink
  readonly #js: JetStreamClient

  constructor(link: NatsLink) {
    this.#link = link
    this.#js = jetstream(link.nc)
  }

  async read(shard: number, id: string, signal?: AbortSignal): Promise<LogRead> {
    const stored = await this.#readFrom(progressSubject(shard, id), 1, signal)
    return { events: stored.map(({ event }) => event), sequence: stored.at(-1)?.sequence ?? 0 }
  }

  get epoch(): number {
    return this.#link.epoch
  }

  async append(
    shard: number,
    id: string,
    event: RequestEvent,
    expected: number,
    signal?: AbortSignal,
    delivery?: string,
  ) {
    const subject = progressSubject(shard, id)
    const body = JSON.stringify(event)
    const { epoch } = this
    // After a lost answer our event may be there, may still be on its way, or may never arrive.
    let unsure = false
    for (;;) {
      await this.#link.connected(signal)
      // What is there now has other sequences, perhaps, and one of them may be the one that we expect.
      if (this.epoch !== epoch) return 'fenced'
      const answer = await this.#publish(subject, body, expected, delivery, signal)
      if (typeof answer === 'number') return answer
      if (answer === 'fenced' && !unsure) return answer
      unsure = true
      const news = await this.#readFrom(subject, expected + 1, signal)
      const ours = news.find((stored) => sameEvent(stored.event, event))
      if (ours && this.epoch === epoch) return ours.sequence
      if (news.length > 0) return 'fenced'
      // Fenced by something that a replica does not show yet, or by a log that is shorter than we think.
      if (answer === 'fenced') return answer
    }
  }

  async #publish(subject: string, body: string, expected: number, delivery?: string, signal?: AbortSignal) {
    try {
      const about = delivery === undefined ? {} : { headers: deliveryHeader(delivery) }
      const options = { expect: { lastSubjectSequence: expected }, timeout: TIMEOUT_MS, ...about }
      return (await this.#link.during(() => this.#js.publish(subject, body, options))).seq
    } catch (error) {
      if (error instanceof JetStreamApiError && FENCED.includes(error.code)) return 'fenced'
      if (!isTransient(error) || this.#link.nc.isClosed()) throw error
      await pause(READ_AGAIN_MS, signal)
      return 'unsure'
    }
  }

  async #readFrom(subject: string, sequence: number, signal?: AbortSignal): Promise<Stored[]> {
    const all: Stored[] = []
    let next = sequence
    for (;;) {
      const batch = await persist(this.#link, () => this.#batch(subject, next), signal)
      all.push(...batch.stored)
      if (!batch.more) return all
      next = (all.at(-1)?.sequence ?? next) + 1
    }
  }

  async #batch(subject: string, sequence: number): Promise<{ stored: Stored[]; more: boolean }> {
    const query = JSON.stringify({ seq: sequence, next_by_subj: subject, batch: BATCH })
    const answers = await this.#link.nc.requestMany(`$JS.API.DIRECT.GET.${PROGRESS}`, query, {
      strategy: 'sentinel',
      maxWait: TIMEOUT_MS,
    })
    const stored: Stored[] = []
    for await (const { data, headers } of answers) {
      if (headers?.code === 404) return { stored, more: false }
      if (headers?.code === 204) return { stored, more: headers.get('Nats-Num-Pending') !== '0' }
      if (headers?.code) throw new Error(`direct get: ${headers.code} ${headers.description}`)
      stored.push({ event: parse(data, subject), sequence: Number(headers?.get('Nats-Sequence')) })
    }
    // The end of the batch never came: what came before it is good, and the rest is asked for.
    return { stored, more: true }
  }
}

function parse(data: Uint8Array, subject: string): RequestEvent {
  const parsed = v.safeParse(RequestEvent, JSON.parse(new TextDecoder().decode(data)))
  if (!parsed.success) throw new Error(`${subject} holds an event of another form: ${describeIssues(parsed.issues)}`)
  return parsed.output
}

function deliveryHeader(delivery: string) {
  const all = headers()
  all.set(DELIVERY_HEADER, delivery)
  return all
}
