import { DurableObject } from 'cloudflare:workers'
import { jetstream } from '@nats-io/jetstream'
import type { Msg, NatsConnection } from '@nats-io/nats-core'
import type { NewEvent, RequestEvent } from '@oriel/protocol/event'
import { isTerminal } from '@oriel/protocol/event'
import type { Accepted } from '@oriel/protocol/fact'
import { failedBy } from '@oriel/protocol/failure'
import type { RequestId } from '@oriel/protocol/ids'
import { shardOf } from '@oriel/protocol/ids'
import type { Job } from '@oriel/protocol/job'
import type { Problem } from '@oriel/protocol/problem'
import { MAX_PAYLOAD_BYTES } from '@oriel/protocol/streams'
import { type Lane, liveShard, requestOf } from '@oriel/protocol/subjects'
import { BrokerLogs } from './broker-logs.ts'
import { hearBrokerNews } from './broker-news.ts'
import type { About } from './channel.ts'
import { Channels } from './channels.ts'
import { DeadLetters, type LetterQuery } from './dead-letters.ts'
import { endRequest } from './end-request.ts'
import { acceptedFact } from './facts.ts'
import { sendJob } from './job-queue.ts'
import { lastTold } from './last-told.ts'
import { Link } from './link.ts'
import { LiveCatalog } from './live-catalog.ts'
import { parseEntry, printEntry } from './log-entry.ts'
import { LogStore } from './log-store.ts'
import { mendRecord } from './mend-record.ts'
import { QueueDepth } from './queue-depth.ts'
import { queueSince } from './queue-since.ts'
import { readOn } from './read-on.ts'
import { type Fact, RecentFacts } from './recent-facts.ts'
import type { Attached, ModelOffer, Order, Outcome, Reading, RelayPort, Requeue, Submitted } from './relay-port.ts'
import type { End } from './request.ts'
import { endOf } from './request.ts'
import { subscribe } from './subscribe.ts'
import { Takeover } from './takeover.ts'
import { tellNews } from './tell-news.ts'

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

const RETRY_AFTER_MS = 2_000
/** How often quiet logs are looked after, and those who wait for their turn are told. */
const SWEEP_MS = 2_000
const HEARTBEAT_MS = 10_000
/** A request that waits says so again this often, to whoever streams it. */
const NEWS_MS = 3_000
/** So many are told in one sweep, those first who have waited longest for news: each costs a read and a write. */
const MAX_NEWS = 256
/** How long a call waits for the first catalog. */
const CATALOG_MS = 3_000

/** @throws Error when SHARDS is not a whole number from 1 to 9999 */
export function shardsOf({ SHARDS = '1' }: Pick<RelayEnv, 'SHARDS'>): number {
  if (!/^[1-9][0-9]{0,3}$/.test(SHARDS)) throw new Error('SHARDS must be a whole number from 1 to 9999')
  return Number(SHARDS)
}

/** One per shard: its one NATS link serves every actor of the shard. */
export class Relay extends DurableObject<RelayEnv> implements RelayPort {
  readonly #logs = new BrokerLogs(
    (id) => this.#shard(id),
    (shard) => this.#listening(shard),
  )
  readonly #channels = new Channels(this.#logs)
  readonly #catalog = new LiveCatalog()
  readonly #depth = new QueueDepth()
  readonly #subscribed = new WeakMap<NatsConnection, Set<number>>()
  readonly #link = new Link(
    { url: this.env.NATS_URL, user: this.env.NATS_USER, password: this.env.NATS_PASSWORD, name: 'oriel-relay' },
    (connection) => this.#isUp(connection),
  )
  readonly #takeover = new Takeover({
    openRequests: () => this.#channels.open(),
    lastBeat: (node) => this.#catalog.now.lastBeat(node),
    giveBack: (delivery) => this.#link.now?.publish(delivery, '-NAK'),
    gone: (node) => this.#catalog.now.putNode(node, undefined, Date.now()),
    now: () => Date.now(),
    wait: (ms) => scheduler.wait(ms),
  })
  readonly #facts = new RecentFacts({
    publish: async ({ subject, msgID, data }) => {
      const connection = await this.#link.connection()
      if (!connection) throw new Error('the broker cannot be reached')
      return await jetstream(connection).publish(subject, data, { msgID })
    },
    now: () => Date.now(),
    wait: (ms) => scheduler.wait(ms),
  })
  #timers: ReturnType<typeof setInterval>[] | undefined

  async submit({ job, accepted }: Order): Promise<Outcome<Submitted>> {
    if (tooLarge(job) || tooLarge(accepted)) return { ok: false, problem: TOO_LARGE }
    const connection = await this.#ready()
    if (!connection) return unavailable()
    const partition = this.#catalog.now.partitionOf(job.model)
    await this.#depth
      .refresh(connection, partition, job.lane, Date.now())
      .catch(warn('the depth of a queue is not known'))
    const { id } = job
    const shard = this.#shard(id)
    this.#listen(connection, shard)
    try {
      const log = await this.#openLog(connection, job, this.#depth.of(partition, job.lane))
      const refused = await sendJob(connection, this.#depth, partition, { ...job, shard, ...(log && { log }) })
      if (refused) return { ok: false, problem: refused }
      await this.#facts.tell(acceptedFact(accepted))
      return { ok: true, certain: true }
    } catch (error) {
      console.warn('a submit was not confirmed; its actor will repeat it', error)
      return { ok: true, certain: false }
    }
  }

  async requeue({ job, failure }: Requeue): ReturnType<RelayPort['requeue']> {
    const connection = await this.#ready()
    if (!connection) return unavailable()
    const { id, model, lane } = job
    const partition = this.#catalog.now.partitionOf(model)
    await this.#depth.refresh(connection, partition, lane, Date.now()).catch(warn('the depth of a queue is not known'))
    const shard = this.#shard(id)
    this.#listen(connection, shard)
    const position = this.#depth.of(partition, lane)
    const requeued = await this.#logs.requeue(new LogStore(connection), id, position, failure)
    if (requeued.kind === 'incomplete') return { ok: true, requeued }
    // What a channel had heard last was the end, and it must not be told to anybody any more.
    const channel = this.#channels.of(id, job)
    channel.resync(true)
    channel.arrived(printEntry(new TextEncoder().encode(JSON.stringify(requeued.event))))
    if (requeued.kind === 'standing' && isTerminal(requeued.event)) return { ok: true, requeued }
    const problem = await sendJob(connection, this.#depth, partition, { ...job, shard })
    if (!problem) return { ok: true, requeued }
    await this.end(id, failedBy(problem))
    return { ok: false, problem }
  }

  async deadLetters(query: LetterQuery): ReturnType<RelayPort['deadLetters']> {
    const connection = await this.#ready()
    if (!connection) return unavailable()
    return { ok: true, ...(await new DeadLetters(connection).list(query)) }
  }

  async deadLetter(id: string): ReturnType<RelayPort['deadLetter']> {
    const connection = await this.#ready()
    if (!connection) return unavailable()
    return { ok: true, letter: await new DeadLetters(connection).find(id) }
  }

  async discard(sequence: number): ReturnType<RelayPort['discard']> {
    const connection = await this.#ready()
    if (!connection) return unavailable()
    return { ok: true, found: await new DeadLetters(connection).discard(sequence) }
  }

  async untilEnded(id: RequestId, about: About): Promise<End | undefined> {
    const terminal = await this.#channels.untilEnded(id, about)
    return terminal && endOf(terminal)
  }

  async accept(accepted: Accepted): Promise<Outcome<object>> {
    const connection = await this.#ready()
    if (!connection) return unavailable()
    await this.#facts.tell(acceptedFact(accepted))
    return { ok: true }
  }

  async mend(accepted: Accepted, end: End, isOver: boolean): ReturnType<RelayPort['mend']> {
    const connection = await this.#ready()
    if (!connection || this.#channels.mayBeRestored) return unavailable()
    const log = new LogStore(connection)
    const port = {
      told: (subject: string) => lastTold(connection, subject),
      log: async () => (await readOn((after) => log.read(this.#shard(accepted.id), accepted.id, after))).events,
      tell: (fact: Fact) => this.#facts.tell(fact),
    }
    return { ok: true, mended: await mendRecord(port, accepted, end, isOver) }
  }

  attach(id: RequestId, reading: Reading): Promise<Attached> {
    return this.#channels.attach(id, reading)
  }

  async last(id: RequestId) {
    const connection = await this.#ready()
    if (!connection) return unavailable()
    const last = await new LogStore(connection).last(this.#shard(id), id)
    return { ok: true as const, event: last && parseEntry(last).event }
  }

  async queueSince(model: string, lane: Lane): Promise<Outcome<{ since: number }>> {
    const connection = await this.#ready()
    if (!connection) return unavailable()
    return { ok: true, since: await queueSince(connection, this.#catalog.now.partitionOf(model), lane) }
  }

  async read(id: RequestId, after: number) {
    await this.#logs.settled(id)
    const connection = await this.#ready()
    if (!connection) return unavailable()
    const { entries, more } = await new LogStore(connection).read(this.#shard(id), id, after)
    return { ok: true as const, entries: entries.map(parseEntry), more }
  }

  async end(id: RequestId, event: NewEvent): Promise<Outcome<{ event: RequestEvent }>> {
    const connection = await this.#ready()
    if (!connection) return unavailable()
    const ending = await endRequest(connection, this.#shard(id), id, event, (fact) => this.#facts.tell(fact))
    return { ok: true, event: ending.event }
  }

  async model(name: string): Promise<Outcome<{ offer: ModelOffer | undefined }>> {
    if (!(await this.#ready())) return unavailable()
    const offer = this.#catalog.now.offer(name, Date.now())
    const problem = offer ? undefined : this.#catalog.now.complaint(name, Date.now())
    return problem ? { ok: false, problem } : { ok: true, offer }
  }

  async models(): Promise<Outcome<{ offers: ModelOffer[] }>> {
    if (!(await this.#ready())) return unavailable()
    return { ok: true, offers: this.#catalog.now.offers(Date.now()) }
  }

  async health(): Promise<{ broker: boolean; nodes: number }> {
    const connection = await this.#ready()
    return { broker: connection !== undefined, nodes: this.#catalog.now.liveNodes(Date.now()).length }
  }

  /** The link, with a catalog of what the buckets say; `undefined`: nothing can be sent now. */
  async #ready(): Promise<NatsConnection | undefined> {
    const connection = await this.#link.connection()
    if (connection) await this.#catalog.first(CATALOG_MS)
    return connection
  }

  #isUp(connection: NatsConnection): void {
    // The client renews its subscriptions, but not what came while they were down.
    if (this.#catalog.follow(connection)) {
      this.#channels.resyncAll()
      this.ctx.waitUntil(this.#facts.check())
    }
    // The client renews these by itself.
    if (this.#subscribed.has(connection)) return
    this.#subscribed.set(connection, new Set())
    hearBrokerNews(
      connection,
      this.#takeover,
      (id) => this.#shard(id),
      (fact) => this.#facts.tell(fact),
    )
  }

  #listen(connection: NatsConnection, shard: number): void {
    this.#timers ??= [
      setInterval(() => this.#sweep(), SWEEP_MS),
      setInterval(() => this.#channels.beat(), HEARTBEAT_MS),
    ]
    const subscribed = this.#subscribed.get(connection) ?? new Set()
    this.#subscribed.set(connection, subscribed)
    if (subscribed.has(shard)) return
    subscribed.add(shard)
    subscribe(connection, liveShard(shard), (message) => this.#arrived(message))
  }

  #arrived(message: Msg): void {
    const id = requestOf(message.subject)
    if (this.#logs.isRequeueing(id)) return
    this.#channels.arrived(id, message.data, (name) => message.headers?.get(name))
  }

  /** @throws Error when the broker cannot be reached */
  async #listening(shard: number): Promise<LogStore> {
    const connection = await this.#ready()
    if (!connection) throw new Error('the broker cannot be reached')
    this.#listen(connection, shard)
    return new LogStore(connection)
  }

  #sweep(): void {
    const connection = this.#link.now
    this.#channels.sweep(connection !== undefined)
    if (!connection) return // each would wait for the broker, and more would come every time
    const sources = { connection, catalog: this.#catalog.now, depth: this.#depth }
    for (const { id, ...about } of this.#channels.waiting(NEWS_MS, MAX_NEWS)) {
      tellNews(sources, this.#shard(id), id, about).catch(warn('a request that waits could not be told how long'))
    }
  }

  /**
   * Writes `queued` as the first event; of a log that the broker has lost, all that clients were told while they waited.
   * A log that is there already is the business of whoever wrote it.
   */
  async #openLog(connection: NatsConnection, { id, ...about }: Order['job'], position: number): Promise<Job['log']> {
    const queued = { n: 1, at: Date.now(), type: 'queued', position } as const
    const channel = this.#channels.of(id, about)
    const told = channel.prelude.map((payload) => parseEntry({ payload, sequence: 0 }).event)
    const events: RequestEvent[] = told.length > 0 ? told : [queued]
    const store = new LogStore(connection)
    let sequence = 0
    for (const event of events) {
      const appended = await store.append(this.#shard(id), id, event, sequence)
      if (appended === 'fenced') return undefined
      sequence = appended
    }
    const last = events.at(-1)
    channel.begun(printEntry(new TextEncoder().encode(JSON.stringify(last))))
    return { events, sequence }
  }

  #shard(id: RequestId): number {
    return shardOf(id, shardsOf(this.env))
  }
}

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
