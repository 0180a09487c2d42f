import { createInbox, type Msg, type Subscription } from '@nats-io/nats-core'
import { NODE_INBOX } from '@oriel/protocol/permissions'
import { ACK_WAIT_MS } from '@oriel/protocol/streams'
import { JOBS, type Lane, laneConsumer } from '@oriel/protocol/subjects'
import type { Delivery } from './delivery.ts'
import { JetStreamDelivery } from './jetstream-delivery.ts'
import type { Logger } from './logger.ts'
import type { NatsLink } from './nats-link.ts'
import { isTransient } from './retry.ts'

/**
 * How long the broker keeps one request for jobs. Less than its patience with a silent node: else a job whose
 * node froze would be given to that same node again.
 */
const EXPIRES_MS = ACK_WAIT_MS / 2
/** Past its end a request is given up by us too, should the broker's word of it be lost. */
const OVERDUE_MS = 5_000
/** Before asking again when the consumer is not there (yet). */
const REFUSED_MS = 500

const IDLE = 100
const EXPIRED = 408

interface Ask {
  readonly subscription: Subscription
  readonly overdue: ReturnType<typeof setTimeout>
  /** Jobs that the broker may still send for it. */
  left: number
}

export interface PartitionPullOptions {
  readonly link: NatsLink
  readonly partition: number
  readonly lane: Lane
  readonly slots: number
  /** Resolves when the job's slot is free. Never throws. */
  readonly deliver: (delivery: Delivery) => Promise<void>
  readonly logger: Logger
}

/** Takes jobs from one partition, never more than there are free slots: what is not running waits at the broker. */
export class PartitionPull {
  readonly #options: PartitionPullOptions
  readonly #asks = new Set<Ask>()
  readonly #offReconnect: () => void
  #busy = 0
  #stopped = false
  #soon: ReturnType<typeof setImmediate> | undefined
  #later: ReturnType<typeof setTimeout> | undefined

  constructor(options: PartitionPullOptions) {
    this.#options = options
    this.#offReconnect = options.link.onReconnect(() => {
      // The broker has forgotten what it was asked, perhaps with the connection, perhaps with itself.
      for (const ask of this.#asks) this.#close(ask)
      this.#askSoon()
    })
    this.#askSoon()
  }

  /** Asks for no more. What the broker has already sent is still delivered before this resolves. */
  async stop(): Promise<void> {
    this.#stopped = true
    this.#offReconnect()
    clearImmediate(this.#soon)
    clearTimeout(this.#later)
    const asks = [...this.#asks]
    const { link } = this.#options
    const drain = ({ subscription }: Ask) => link.during(() => subscription.drain())
    await Promise.all(asks.map(drain)).catch((error) => {
      // Without a connection there is nothing on its way to us.
      if (!isTransient(error)) throw error
    })
    for (const ask of asks) this.#close(ask)
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
    const { link, partition, lane, slots } = this.#options
    const asked = [...this.#asks].reduce((sum, { left }) => sum + left, 0)
    const batch = slots - this.#busy - asked
    if (this.#stopped || batch <= 0 || this.#later || !link.up || link.nc.isClosed()) return
    const inbox = createInbox(NODE_INBOX)
    const subscription = link.nc.subscribe(inbox, {
      callback: (error, msg) => (error ? this.#refused(ask, error.message) : this.#receive(ask, inbox, msg)),
    })
    const overdue = setTimeout(() => this.#refused(ask, 'no answer'), EXPIRES_MS + OVERDUE_MS)
    const ask: Ask = { subscription, overdue, left: batch }
    this.#asks.add(ask)
    const next = `$JS.API.CONSUMER.MSG.NEXT.${JOBS}.${laneConsumer(partition, lane)}`
    link.nc.publish(next, JSON.stringify({ batch, expires: EXPIRES_MS * 1e6 }), { reply: inbox })
  }

  #receive(ask: Ask, inbox: string, msg: Msg): void {
    // What is about the request comes on its own subject, a job on that of the job.
    if (msg.subject === inbox) {
      const code = msg.headers?.code
      if (code === EXPIRED) {
        this.#close(ask)
        this.#askSoon()
      } else if (code !== IDLE) this.#refused(ask, `${code} ${msg.headers?.description}`)
      return
    }
    ask.left--
    if (ask.left === 0) this.#close(ask)
    this.#busy++
    void this.#options.deliver(new JetStreamDelivery(this.#options.link, msg)).finally(() => {
      this.#busy--
      this.#askSoon()
    })
  }

  #refused(ask: Ask, why: string): void {
    if (!this.#asks.has(ask)) return
    this.#close(ask)
    const { logger, partition } = this.#options
    if (!this.#stopped) logger.warn('the broker refused a request for jobs', { partition, why })
    this.#askLater()
  }

  #close(ask: Ask): void {
    this.#asks.delete(ask)
    clearTimeout(ask.overdue)
    if (!ask.subscription.isClosed()) ask.subscription.unsubscribe()
  }
}
