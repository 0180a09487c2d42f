import { createInbox, type Msg, type Subscription } from '@nats-io/nats-core'
import { NODE_INBOX } from '@oriel/protocol/permissions'
import { ACK_WAIT_MS, PRIORITY, PULL_GROUP } from '@oriel/protocol/streams'
import { JOBS, type Lane, laneConsumer } from '@oriel/protocol/subjects'
import type { Delivery } from './delivery.ts'
import { JetStreamDelivery } from './jetstream-delivery.ts'
import { type Ask, LaneShare } from './lane-share.ts'
import type { Logger } from './logger.ts'
import type { NatsLink } from './nats-link.ts'
import { isTransient } from './retry.ts'
import type { Role } from './roles.ts'

/**
 * How long the broker keeps one request for jobs. Less than its patience with a silent node: else a job whose
 * node froze would be given to that same node again.
 */
const EXPIRES_MS = ACK_WAIT_MS / 2
/** Past its end a request is given up by us too, should the broker's word of it be lost. */
const OVERDUE_MS = 5_000
/** Before asking again when the consumer is not there (yet). */
const REFUSED_MS = 500

/** How long the last free slot is kept for one lane before the other has its turn. */
const BRIEF_MS = 100

const IDLE = 100
/** Nothing waits, or what waits has been promised to others. */
const ENDED = [404, 408]

/** A question to the broker that has not been answered in full. */
interface Open {
  readonly lane: Lane
  readonly subscription: Subscription
  readonly overdue: ReturnType<typeof setTimeout>
  /** Jobs that the broker may still send for it. */
  left: number
}

export interface PartitionPullOptions {
  readonly link: NatsLink
  readonly partition: number
  readonly slots: number
  readonly role: Role
  /** Resolves when the job's slot is free. Never throws. */
  readonly deliver: (delivery: Delivery) => Promise<void>
  readonly logger: Logger
}

/**
 * Takes jobs from both lanes of one partition, never more than there are free slots: what is not running waits at
 * the broker.
 */
export class PartitionPull {
  readonly #options: PartitionPullOptions
  readonly #share: LaneShare
  readonly #open = new Set<Open>()
  readonly #offReconnect: () => void
  #role: Role
  #stopped = false
  #soon: ReturnType<typeof setImmediate> | undefined
  #later: ReturnType<typeof setTimeout> | undefined

  constructor(options: PartitionPullOptions) {
    this.#options = options
    this.#role = options.role
    this.#share = new LaneShare(options.slots)
    this.#offReconnect = options.link.onReconnect(() => {
      // The broker has forgotten what it was asked, perhaps with the connection, perhaps with itself.
      for (const open of this.#open) this.#lose(open)
      this.#askSoon()
    })
    this.#askSoon()
  }

  /** What is asked from now on is asked as that; what was asked before is over within seconds. */
  become(role: Role): void {
    if (this.#role === role) return
    this.#role = role
    this.#askSoon()
  }

  /** Asks for no more. What the broker has already sent is still delivered before this resolves. */
  async stop(): Promise<void> {
    this.#stopped = true
    this.#offReconnect()
    clearImmediate(this.#soon)
    clearTimeout(this.#later)
    const all = [...this.#open]
    const { link } = this.#options
    const drain = ({ subscription }: Open) => link.during(() => subscription.drain())
    await Promise.all(all.map(drain)).catch((error) => {
      // Without a connection there is nothing on its way to us.
      if (!isTransient(error)) throw error
    })
    for (const open of all) this.#close(open)
  }

  /** Slots that are freed in one turn are asked for together. */
  #askSoon(): void {
    if (this.#stopped) return
    this.#soon ??= setImmediate(() => {
      this.#soon = undefined
      this.#ask()
    })
  }

  #askLater(): void {
    if (this.#stopped) return
    this.#later ??= setTimeout(() => {
      this.#later = undefined
      this.#askSoon()
    }, REFUSED_MS)
  }

  #ask(): void {
    const { link } = this.#options
    while (!this.#stopped && this.#role !== 'away' && !this.#later && link.up && !link.nc.isClosed()) {
      const ask = this.#share.next()
      if (!ask) return
      this.#send(ask)
    }
  }

  #send({ lane, how, jobs, brief }: Ask): void {
    const { link, partition } = this.#options
    const inbox = createInbox(NODE_INBOX)
    const subscription = link.nc.subscribe(inbox, {
      callback: (error, msg) => (error ? this.#refused(open, error.message) : this.#receive(open, inbox, msg)),
    })
    const expiresMs = how === 'take' ? 0 : brief ? BRIEF_MS : EXPIRES_MS
    const overdue = setTimeout(() => this.#refused(open, 'no answer'), expiresMs + OVERDUE_MS)
    const open: Open = { lane, subscription, overdue, left: jobs }
    this.#open.add(open)
    const limit = how === 'take' ? { no_wait: true } : { expires: expiresMs * 1e6 }
    const next = `$JS.API.CONSUMER.MSG.NEXT.${JOBS}.${laneConsumer(partition, lane)}`
    const rank = { group: PULL_GROUP, priority: this.#role === 'home' ? PRIORITY.home : PRIORITY.helper }
    link.nc.publish(next, JSON.stringify({ batch: jobs, ...limit, ...rank }), { reply: inbox })
  }

  #receive(open: Open, inbox: string, msg: Msg): void {
    const code = msg.headers?.code ?? 0
    // What is about the request comes on its own subject, a job on that of the job.
    if (msg.subject !== inbox) this.#take(open, msg)
    else if (ENDED.includes(code)) {
      this.#close(open)
      this.#share.ended(open.lane, open.left)
      this.#askSoon()
    } else if (code !== IDLE) this.#refused(open, `${code} ${msg.headers?.description}`)
  }

  #take(open: Open, msg: Msg): void {
    const { link, deliver } = this.#options
    const delivery = new JetStreamDelivery(link, msg)
    this.#share.delivered(open.lane, delivery.pending)
    open.left--
    if (open.left === 0) this.#close(open)
    void deliver(delivery).finally(() => {
      this.#share.freed(open.lane)
      this.#askSoon()
    })
    // More may wait behind it, and not all slots were asked for.
    this.#askSoon()
  }

  #refused(open: Open, why: string): void {
    if (!this.#open.has(open)) return
    this.#lose(open)
    const { logger, partition } = this.#options
    if (!this.#stopped) logger.warn('the broker refused a request for jobs', { partition, lane: open.lane, why })
    this.#askLater()
  }

  #lose(open: Open): void {
    this.#close(open)
    this.#share.lost(open.lane, open.left)
  }

  #close(open: Open): void {
    this.#open.delete(open)
    clearTimeout(open.overdue)
    if (!open.subscription.isClosed()) open.subscription.unsubscribe()
  }
}
