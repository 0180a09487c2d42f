import { DurableObject } from 'cloudflare:workers'
import { jetstream } from '@nats-io/jetstream'
import type { Msg, NatsConnection } from '@nats-io/nats-core'
import type { NewEvent, RequestEvent } from '@oriel/protocol/event'
import type { Accepted } from '@oriel/protocol/fact'
import type { RequestId } from '@oriel/protocol/ids'
import { shardOf } from '@oriel/protocol/ids'
import { cancelSubject, type Lane, liveShard, requestOf } from '@oriel/protocol/subjects'
import { VOLUME_MS } from '@oriel/protocol/volume'
import { AnswerLine } from './answer-line.ts'
import { Asked } from './asked.ts'
import { brokerAnswers } from './broker-answers.ts'
import { BrokerLogs } from './broker-logs.ts'
import { hearBrokerNews } from './broker-news.ts'
import type { About } from './channel.ts'
import { Channels } from './channels.ts'
import { connectBroker } from './connect-broker.ts'
import { DeadLetters, type LetterQuery } from './dead-letters.ts'
import { type EndingParts, endRequest } from './end-request.ts'
import { acceptedFact } from './facts.ts'
import { lastTold } from './last-told.ts'
import { Link } from './link.ts'
import { LiveCatalog } from './live-catalog.ts'
import { parseEntry } from './log-entry.ts'
import { LogStore } from './log-store.ts'
import { mendRecord } from './mend-record.ts'
import type { ModelQuery } from './model-page.ts'
import type { PredictionCount } from './prediction-counts.ts'
import { Predictions } from './predictions.ts'
import { QueueDepth } from './queue-depth.ts'
import { queueSince } from './queue-since.ts'
import { readOn } from './read-on.ts'
import { type Fact, RecentFacts } from './recent-facts.ts'
import type {
  Attached,
  ModelOffer,
  Order,
  Outcome,
  PredictionOrder,
  Reading,
  RelayPort,
  Requeue,
  Submitted,
} from './relay-port.ts'
import type { End, Look } from './request.ts'
import { endOf } from './request.ts'
import { Sender } from './sender.ts'
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
  readonly #link = new Link(
    () => connectBroker(brokerOf(this.env)),
    (connection) => this.#isUp(connection),
    () => this.#line?.lost(),
    (ms) => scheduler.wait(ms),
  )
  readonly #logs = new BrokerLogs(
    this.#link,
    (id) => this.#shard(id),
    (shard) => this.#listening(shard),
  )
  readonly #channels = new Channels(this.#logs)
  readonly #catalog = new LiveCatalog()
  readonly #depth = new QueueDepth()
  readonly #asked = new Asked()
  readonly #subscribed = new WeakMap<NatsConnection, Set<number>>()
  readonly #takeover = new Takeover({
    openRequests: () => this.#channels.open(),
    lastBeat: (node) => this.#catalog.now.lastBeat(node),
    giveBack: (delivery) => this.#link.now?.publish(delivery, '-NAK'),
    left: (node) => this.#line?.lost(node),
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
  readonly #ending: EndingParts = {
    told: (id) => this.#channels.told(id),
    tell: (fact) => this.#facts.tell(fact),
  }
  readonly #sender = new Sender({
    catalog: this.#catalog,
    depth: this.#depth,
    channels: this.#channels,
    logs: this.#logs,
    shardOf: (id) => this.#shard(id),
    listen: (connection, shard) => this.#listen(connection, shard),
    tell: (fact) => this.#facts.tell(fact),
  })
  readonly #predictions = new Predictions({
    candidates: (model, version) => this.#catalog.now.candidates(model, version, Date.now()),
    // While the broker is away the client would keep the question, and ask it when nobody waits any more.
    ask: async (question) => (this.#link.now && (await this.#line?.ask(question))) ?? { kind: 'absent' },
    cancel: (id) => {
      this.#line?.cancel(id)
      this.#link.now?.publish(cancelSubject(id))
    },
    now: () => Date.now(),
    random: Math.random,
  })
  /** Of the connection that is there, or was there last. */
  #line: AnswerLine | undefined
  #timers: ReturnType<typeof setInterval>[] | undefined

  submit(order: Order): Promise<Outcome<Submitted>> {
    return this.#atBroker((connection) => {
      this.#asked.for(order.job.model)
      return this.#sender.submit(connection, order)
    })
  }

  requeue(order: Requeue): ReturnType<RelayPort['requeue']> {
    return this.#atBroker((connection) => this.#sender.requeue(connection, order))
  }

  deadLetters(query: LetterQuery): ReturnType<RelayPort['deadLetters']> {
    return this.#atBroker(async (connection) => ({ ok: true, ...(await new DeadLetters(connection).list(query)) }))
  }

  deadLetter(id: string): ReturnType<RelayPort['deadLetter']> {
    return this.#atBroker(async (connection) => ({ ok: true, letter: await new DeadLetters(connection).find(id) }))
  }

  discard(sequence: number): ReturnType<RelayPort['discard']> {
    return this.#atBroker(async (connection) => {
      return { ok: true, found: await new DeadLetters(connection).discard(sequence) }
    })
  }

  async untilEnded(id: RequestId, about: About): Promise<End | undefined> {
    const terminal = await this.#channels.untilEnded(id, about)
    return terminal && endOf(terminal)
  }

  accept(accepted: Accepted): Promise<Outcome<object>> {
    return this.#atBroker(async () => {
      await this.#facts.tell(acceptedFact(accepted))
      return { ok: true }
    })
  }

  mend(accepted: Accepted, end: End, look: Look): ReturnType<RelayPort['mend']> {
    return this.#atBroker(async (connection) => {
      if (this.#channels.mayBeRestored) return UNAVAILABLE
      const log = new LogStore(connection)
      const port = {
        told: (subject: string) => lastTold(connection, subject),
        log: async () => (await readOn((after) => log.read(this.#shard(accepted.id), accepted.id, after))).events,
        tell: (fact: Fact) => this.#facts.tell(fact),
      }
      return { ok: true, mended: await mendRecord(port, accepted, end, look) }
    })
  }

  attach(id: RequestId, reading: Reading): Promise<Attached> {
    return this.#channels.attach(id, reading)
  }

  last(id: RequestId): ReturnType<RelayPort['last']> {
    return this.#atBroker(async (connection) => {
      const last = await new LogStore(connection).last(this.#shard(id), id)
      return { ok: true, event: last && parseEntry(last).event }
    })
  }

  queueSince(model: string, lane: Lane): Promise<Outcome<{ since: number }>> {
    return this.#atBroker(async (connection) => {
      return { ok: true, since: await queueSince(connection, this.#catalog.now.partitionOf(model), lane) }
    })
  }

  async read(id: RequestId, after: number): ReturnType<RelayPort['read']> {
    await this.#logs.settled(id)
    return await this.#atBroker(async (connection) => {
      const { entries, more } = await new LogStore(connection).read(this.#shard(id), id, after)
      return { ok: true, entries: entries.map(parseEntry), more }
    })
  }

  end(id: RequestId, event: NewEvent): Promise<Outcome<{ event: RequestEvent }>> {
    return this.#atBroker(async (connection) => {
      const ending = await endRequest(connection, this.#shard(id), id, event, this.#ending)
      return { ok: true, event: ending.event }
    })
  }

  predict(order: PredictionOrder): ReturnType<RelayPort['predict']> {
    return this.#atBroker((connection) => {
      this.#asked.for(order.model)
      this.#listen(connection, this.#shard(order.id))
      return this.#predictions.predict(order)
    })
  }

  async cancelPrediction(id: RequestId): Promise<void> {
    this.#predictions.cancel(id)
  }

  async predictionCounts(): Promise<PredictionCount[]> {
    return this.#predictions.counts.all()
  }

  model(name: string, version?: string): ReturnType<RelayPort['model']> {
    return this.#atBroker<{ offer: ModelOffer | undefined }>(async () => {
      const offer = this.#catalog.now.offer(name, Date.now(), version)
      const problem = offer ? undefined : this.#catalog.now.complaint(name, Date.now())
      return problem ? { ok: false, problem } : { ok: true, offer }
    })
  }

  models(): ReturnType<RelayPort['models']> {
    return this.#atBroker(async () => ({ ok: true, offers: this.#catalog.now.offers(Date.now()) }))
  }

  modelPage(query: ModelQuery): ReturnType<RelayPort['modelPage']> {
    return this.#atBroker(async () => ({ ok: true, ...this.#catalog.now.page(query, Date.now()) }))
  }

  nodesWith(name: string, version: string | undefined): ReturnType<RelayPort['nodesWith']> {
    return this.#atBroker(async () => ({ ok: true, nodes: this.#catalog.now.nodesWith(name, version, Date.now()) }))
  }

  async health(): Promise<{ broker: boolean; nodes: number }> {
    const connection = await this.#ready()
    const broker = connection !== undefined && (await brokerAnswers(connection))
    return { broker, nodes: this.#catalog.now.liveNodes(Date.now()).length }
  }

  /** Asks it over the link; a refusal when nothing can be sent now. */
  async #atBroker<T>(ask: (connection: NatsConnection) => Promise<Outcome<T>>): Promise<Outcome<T>> {
    const connection = await this.#ready()
    return connection ? await ask(connection) : UNAVAILABLE
  }

  /** The link, with a catalog of what the buckets say; `undefined`: nothing can be sent now, or no model is known yet. */
  async #ready(): Promise<NatsConnection | undefined> {
    const connection = await this.#link.connection()
    return connection && (await this.#catalog.first(CATALOG_MS)) ? connection : undefined
  }

  #isUp(connection: NatsConnection): void {
    // The client renews its subscriptions, but not what came while they were down.
    if (this.#catalog.follow(connection)) {
      this.#channels.resyncAll()
      this.#line?.lost()
      this.ctx.waitUntil(this.#facts.check())
    }
    // The client renews these by itself.
    if (this.#subscribed.has(connection)) return
    this.#subscribed.set(connection, new Set())
    this.#line = new AnswerLine(connection)
    hearBrokerNews(connection, this.#takeover, (id) => this.#shard(id), this.#ending)
  }

  #listen(connection: NatsConnection, shard: number): void {
    this.#timers ??= [
      setInterval(() => this.#sweep(), SWEEP_MS),
      setInterval(() => this.#channels.beat(), HEARTBEAT_MS),
      setInterval(() => this.#tellAsked(shard), VOLUME_MS),
    ]
    const subscribed = this.#subscribed.get(connection) ?? new Set()
    this.#subscribed.set(connection, subscribed)
    if (subscribed.has(shard)) return
    subscribed.add(shard)
    subscribe(connection, liveShard(shard), (message) => this.#arrived(message))
  }

  /** A relay that has several shards tells of them as of the first: the planner adds them all up. */
  #tellAsked(shard: number): void {
    if (this.#link.now) this.#asked.tell(this.#link.now, shard)
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

  #shard(id: RequestId): number {
    return shardOf(id, shardsOf(this.env))
  }
}

const brokerOf = ({ NATS_URL, NATS_USER, NATS_PASSWORD }: RelayEnv) => ({
  url: NATS_URL,
  user: NATS_USER,
  password: NATS_PASSWORD,
  name: 'oriel-relay',
})

const warn = (what: string) => (error: unknown) => console.warn(what, error)

const UNAVAILABLE: Outcome<never> = {
  ok: false,
  problem: {
    kind: 'unavailable',
    detail: 'The broker cannot be reached; nothing was accepted.',
    retryAfterMs: RETRY_AFTER_MS,
  },
}
