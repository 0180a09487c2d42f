import type { Subscription } from '@nats-io/nats-core'
import { ALL_CANCELS, requestOf } from '@oriel/protocol/subjects'
import type { Delivery } from './delivery.ts'
import type { Logger } from './logger.ts'
import type { NatsLink } from './nats-link.ts'
import { PartitionPull } from './partition-pull.ts'
import { watchPlan } from './plan-watch.ts'

/** Three of these fit into the time after which the broker gives a silent node's job to another. */
const WORKING_MS = 3_000

export interface ConsumerOptions {
  readonly link: NatsLink
  /** Jobs at a time, per partition, of both lanes together. */
  readonly slots: number
  readonly deliver: (delivery: Delivery) => Promise<void>
  /** Says to the broker that every job in hand is still worked on. */
  readonly working: () => void
  readonly cancel: (id: string) => void
  readonly logger: Logger
}

/** The node's ears: jobs of every partition in the plan, and cancellations. */
export class Consumer {
  readonly #options: ConsumerOptions
  readonly #pulls = new Map<number, PartitionPull>()
  readonly #stopping = new AbortController()
  #watching: Promise<void> | undefined
  #cancels: Subscription | undefined
  #working: ReturnType<typeof setInterval> | undefined

  constructor(options: ConsumerOptions) {
    this.#options = options
  }

  run(): void {
    const { link, working, cancel } = this.#options
    this.#cancels = link.nc.subscribe(ALL_CANCELS, { callback: (_, msg) => cancel(requestOf(msg.subject)) })
    this.#working = setInterval(working, WORKING_MS)
    this.#watching = this.#follow()
  }

  /** Takes no more jobs. Those in hand are still kept alive and can be cancelled. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#watching
    await Promise.all([...this.#pulls.values()].map((pull) => pull.stop()))
    this.#pulls.clear()
  }

  close(): void {
    clearInterval(this.#working)
    if (!this.#options.link.nc.isClosed()) this.#cancels?.unsubscribe()
  }

  async #follow(): Promise<void> {
    const { link, slots, deliver, logger } = this.#options
    for await (const { partitions } of watchPlan(link, logger, this.#stopping.signal)) {
      for (const [partition, pull] of this.#pulls) {
        if (partition < partitions) continue
        this.#pulls.delete(partition)
        await pull.stop()
      }
      for (let partition = 0; partition < partitions; partition++) {
        if (this.#pulls.has(partition)) continue
        this.#pulls.set(partition, new PartitionPull({ link, partition, slots, deliver, logger }))
      }
    }
  }
}
