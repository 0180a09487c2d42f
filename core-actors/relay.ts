import { DurableObject } from 'cloudflare:workers'
import { JetStreamApiError, jetstream } from '@nats-io/jetstream'
import type { Msg, NatsConnection } from '@nats-io/nats-core'
import type { NewEvent, RequestEvent } from '@oriel/protocol/event'
import { type Accepted, endedFacts } from '@oriel/protocol/fact'
import type { RequestId } from '@oriel/protocol/ids'
import { shardOf } from '@oriel/protocol/ids'
import type { Job } from '@oriel/protocol/job'
import type { Problem } from '@oriel/protocol/problem'
import { MAX_PAYLOAD_BYTES } from '@oriel/protocol/streams'
import {
  acceptedSubject,
  cancelSubject,
  endedSubject,
  jobSubject,
  liveShard,
  requestOf,
} from '@oriel/protocol/subjects'
import type { LiveEntry } from './attachment.ts'
import { Attachments, SWEEP_MS } from './attachments.ts'
import { Catalog } from './catalog.ts'
import { watchCatalog } from './catalog-watch.ts'
import { endLog } from './end-log.ts'
import { Link } from './link.ts'
import { parseEntry } from './log-entry.ts'
import { LogStore } from './log-store.ts'
import { QueueDepth } from './queue-depth.ts'
import type { ModelOffer, Order, Outcome, RelayPort, Submitted } from './relay-port.ts'

export interface RelayEnv {
  readonly NATS_URL: string
  readonly NATS_USER: string
  readonly NATS_PASSWORD: string
  /**
   * How many relays share the requests, 1 unless set; each has the logs of its shard. Changing it while
   * requests are open strands them: drain first.
   */
  readonly SHARDS?: string
}

/** JetStream's error code for a message that the stream's limits refuse, from the server's errors.json. */
const STORE_FAILED = 10077
const RETRY_AFTER_MS = 2_000
/** How long a call waits for the first catalog. */
const CATALOG_MS = 3_000

/** @throws Error when SHARDS is not a whole number from 1 to 9999 */
export function shardsOf({ SHARDS = '1' }: Pick<RelayEnv, 'SHARDS'>): number {
  if (!/^[1-9][0-9]{0,3}$/.test(SHARDS)) throw new Error('SHARDS must be a whole number from 1 to 9999')
  return Number(SHARDS)
}

/** One per shard: its one NATS link serves every actor of the shard. */
export class Relay extends DurableObject<RelayEnv> implements RelayPort {
  readonly #attachments = new Attachments()
  #catalog = new Catalog()
  readonly #depth = new QueueDepth()
  readonly #subscribed = new WeakMap<NatsConnection, Set<number>>()
  readonly #link = new Link(
    { url: this.env.NATS_URL, user: this.env.NATS_USER, password: this.env.NATS_PASSWORD, name: 'oriel-relay' },
    (connection) => this.#isUp(connection),
  )
  #watched: { stop: AbortController; seen: Promise<void> } | undefined
  #sweeping: ReturnType<typeof setInterval> | undefined

  async submit({ job, accepted }: Order): Promise<Outcome<Submitted>> {
    if (tooLarge(job) || tooLarge(accepted)) return { ok: false, problem: TOO_LARGE }
    const connection = await this.#ready()
    if (!connection) return unavailable()
    const partition = this.#catalog.partitionOf(job.model)
    await this.#depth.refresh(connection, partition, Date.now()).catch(warn('the depth of a queue is not known'))
    const { id } = job
    const shard = this.#shard(id)
    let events: ReadableStream<Uint8Array> | undefined
    try {
      const log = await this.#openLog(connection, id, this.#depth.of(partition))
      events = this.#open(connection, id, 0, log && firstEntry(log))
      const refused = await this.#publishJob(connection, partition, { ...job, shard, ...(log && { log }) })
      if (refused) {
        await events.cancel()
        return { ok: false, problem: refused }
      }
      this.#depth.joined(partition)
      await this.#publishAccepted(connection, accepted)
      return { ok: true, certain: true, events }
    } catch (error) {
      console.warn('a submit was not confirmed; its actor will repeat it', error)
      return { ok: true, certain: false, events: events ?? this.#open(connection, id, 0) }
    }
  }

  async accept(accepted: Accepted): Promise<Outcome<object>> {
    const connection = await this.#ready()
    if (!connection) return unavailable()
    await this.#publishAccepted(connection, accepted)
    return { ok: true }
  }

  async attach(id: RequestId, after: number): Promise<ReadableStream<Uint8Array>> {
    const connection = await this.#ready()
    if (!connection) throw new Error('the broker cannot be reached')
    return this.#open(connection, id, after)
  }

  async read(id: RequestId, after: number) {
    const connection = await this.#ready()
    if (!connection) return unavailable()
    const { entries, more } = await new LogStore(connection).read(this.#shard(id), id, after)
    return { ok: true as const, entries: entries.map(parseEntry), more }
  }

  async requeue(id: RequestId, model: string, last: { n: number; sequence: number; position: number }): Promise<void> {
    const connection = await this.#ready()
    if (!connection) return
    const partition = this.#catalog.partitionOf(model)
    await this.#depth.refresh(connection, partition, Date.now())
    // What waits includes this request and those behind it: its place only ever gets better.
    const position = Math.max(0, Math.min(last.position, this.#depth.of(partition) - 1))
    const event = { n: last.n + 1, at: Date.now(), type: 'queued', position } as const
    await new LogStore(connection).append(this.#shard(id), id, event, last.sequence)
  }

  async end(id: RequestId, event: NewEvent): Promise<Outcome<{ event: RequestEvent }>> {
    const connection = await this.#ready()
    if (!connection) return unavailable()
    const log = new LogStore(connection)
    const shard = this.#shard(id)
    const ending = await endLog(
      {
        read: (after) => log.read(shard, id, after),
        append: (next, last) => log.append(shard, id, next, last),
        now: () => Date.now(),
      },
      event,
    )
    // Only now: a node that hears of it first would write an end of its own.
    connection.publish(cancelSubject(id))
    const client = jetstream(connection)
    const facts = endedFacts(id, ending.events)
    await Promise.all(
      facts.map((fact) =>
        client.publish(endedSubject(id), JSON.stringify(fact), { msgID: `ended.${id}.${fact.part}` }),
      ),
    )
    return { ok: true, event: ending.event }
  }

  async model(name: string): Promise<Outcome<{ offer: ModelOffer | undefined }>> {
    if (!(await this.#ready())) return unavailable()
    const offer = this.#catalog.offer(name, Date.now())
    const problem = offer ? undefined : this.#catalog.complaint(name, Date.now())
    return problem ? { ok: false, problem } : { ok: true, offer }
  }

  async models(): Promise<Outcome<{ offers: ModelOffer[] }>> {
    if (!(await this.#ready())) return unavailable()
    return { ok: true, offers: this.#catalog.offers(Date.now()) }
  }

  async health(): Promise<{ broker: boolean; nodes: number }> {
    const connection = await this.#ready()
    return { broker: connection !== undefined, nodes: this.#catalog.liveNodes(Date.now()).length }
  }

  /** The link, with a catalog of what the buckets say; `undefined`: nothing can be sent now. */
  async #ready(): Promise<NatsConnection | undefined> {
    const connection = await this.#link.connection()
    if (connection && this.#watched) await Promise.race([this.#watched.seen, scheduler.wait(CATALOG_MS)])
    return connection
  }

  #isUp(connection: NatsConnection): void {
    // The client renews its subscriptions, but not what came while they were down, nor watches of a broker
    // that has lost its state: those start afresh. Until they have seen everything the old catalog stands.
    this.#attachments.resyncAll()
    this.#watched?.stop.abort()
    const stop = new AbortController()
    const next = new Catalog()
    const seen = watchCatalog(connection, next, stop.signal).then(() => {
      if (!stop.signal.aborted) this.#catalog = next
    })
    this.#watched = { stop, seen: this.#watched ? Promise.resolve() : seen }
  }

  #listen(connection: NatsConnection, shard: number): void {
    this.#sweeping ??= setInterval(() => this.#attachments.sweep(), SWEEP_MS)
    const subscribed = this.#subscribed.get(connection) ?? new Set()
    this.#subscribed.set(connection, subscribed)
    if (subscribed.has(shard)) return
    subscribed.add(shard)
    connection.subscribe(liveShard(shard), {
      callback: (error, message) => {
        if (error) console.warn('the live subscription broke', error)
        else this.#arrived(message)
      },
    })
  }

  #arrived(message: Msg): void {
    this.#attachments.arrived(requestOf(message.subject), {
      sequence: Number(message.headers?.get('Nats-Sequence')),
      previous: Number(message.headers?.get('Nats-Last-Sequence')),
      payload: message.data,
    })
  }

  /** @param first the entry after `after`, when it was only just written and nothing can have followed it */
  #open(connection: NatsConnection, id: RequestId, after: number, first?: LiveEntry): ReadableStream<Uint8Array> {
    const shard = this.#shard(id)
    this.#listen(connection, shard)
    const log = new LogStore(connection)
    return this.#attachments.open(id, after, (from) => log.read(shard, id, from), first)
  }

  /** Writes `queued` as the first event. A log that is there already is the business of whoever wrote it. */
  async #openLog(connection: NatsConnection, id: RequestId, position: number): Promise<Job['log']> {
    const event: RequestEvent = { n: 1, at: Date.now(), type: 'queued', position }
    const sequence = await new LogStore(connection).append(this.#shard(id), id, event, 0)
    return sequence === 'fenced' ? undefined : { events: [event], sequence }
  }

  async #publishAccepted(connection: NatsConnection, accepted: Accepted): Promise<void> {
    const { id } = accepted
    await jetstream(connection).publish(acceptedSubject(id), JSON.stringify(accepted), { msgID: `accepted.${id}` })
  }

  async #publishJob(connection: NatsConnection, partition: number, job: Job): Promise<Problem | undefined> {
    try {
      await jetstream(connection).publish(jobSubject(partition, job.lane, job.model), JSON.stringify(job), {
        msgID: `${job.id}.${job.dispatch}`,
      })
      return undefined
    } catch (error) {
      const full = error instanceof JetStreamApiError && error.code === STORE_FAILED && /maximum/.test(error.message)
      if (!full) throw error
      const detail = `Too many requests wait for model ${job.model}; nothing was accepted.`
      return { kind: 'queue-full', detail, retryAfterMs: RETRY_AFTER_MS }
    }
  }

  #shard(id: RequestId): number {
    return shardOf(id, shardsOf(this.env))
  }
}

/** As the live subscription will bring it. */
const firstEntry = ({ events, sequence }: NonNullable<Job['log']>): LiveEntry => ({
  sequence,
  previous: 0,
  payload: new TextEncoder().encode(JSON.stringify(events[0])),
})

const warn = (what: string) => (error: unknown) => console.warn(what, error)

/** With room for the envelope that the relay and the client library add. */
const MAX_MESSAGE_BYTES = MAX_PAYLOAD_BYTES - 16 * 1024
const tooLarge = (message: object) => new TextEncoder().encode(JSON.stringify(message)).length > MAX_MESSAGE_BYTES
const TOO_LARGE: Problem = { kind: 'too-large', detail: 'The request is larger, as JSON, than the broker takes.' }

const unavailable = (): Outcome<never> => ({
  ok: false,
  problem: {
    kind: 'unavailable',
    detail: 'The broker cannot be reached; nothing was accepted.',
    retryAfterMs: RETRY_AFTER_MS,
  },
})
