import type { Subscription } from '@nats-io/nats-core'
import { BACKLOG_MS, Backlog } from '@oriel/protocol/backlog'
import { ALL_CANCELS, BACKLOG, requestOf } from '@oriel/protocol/subjects'
import * as v from 'valibot'
import type { Delivery } from './delivery.ts'
import type { Logger } from './logger.ts'
import type { NatsLink } from './nats-link.ts'
import { PartitionPull } from './partition-pull.ts'
import { watchPlan } from './plan-watch.ts'
import { Roles } from './roles.ts'

/** Three of these fit into the time after which the broker gives a silent node's job to another. */
const WORKING_MS = 3_000

export interface ConsumerOptions {
  readonly link: NatsLink
  readonly node: string
  /** Names of the models in memory. */
  readonly loaded: () => ReadonlySet<string>
  /** How long jobs of others must wait before a model is loaded for them. */
  readonly helpAfterMs: number
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
  readonly #roles: Roles
  readonly #pulls = new Map<number, PartitionPull>()
  readonly #stopping = new AbortController()
  #watching: Promise<void> | undefined
  #cancels: Subscription | undefined
  #backlog: Subscription | undefined
  #working: ReturnType<typeof setInterval> | undefined
  #roleTimer: ReturnType<typeof setInterval> | undefined

  constructor(options: ConsumerOptions) {
    this.#options = options
    const { node, loaded, helpAfterMs } = options
    this.#roles = new Roles({ node, loaded, loadMs: helpAfterMs, now: Date.now })
  }

  run(): void {
    const { link, working, cancel } = this.#options
    this.#cancels = link.nc.subscribe(ALL_CANCELS, { callback: (_, msg) => cancel(requestOf(msg.subject)) })
    this.#working = setInterval(working, WORKING_MS)
    this.#backlog = link.nc.subscribe(BACKLOG, { callback: (_, msg) => this.#told(msg.data) })
    // A planner that falls silent, and models that were loaded meanwhile, are noticed too.
    this.#roleTimer = setInterval(() => this.#become(), BACKLOG_MS)
    this.#watching = this.#follow()
  }

  /** Takes no more jobs. Those in hand are still kept alive and can be cancelled. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    clearInterval(this.#roleTimer)
    if (!this.#options.link.nc.isClosed()) this.#backlog?.unsubscribe()
    await this.#watching
    await Promise.all([...this.#pulls.values()].map((pull) => pull.stop()))
    this.#pulls.clear()
  }

  close(): void {
    clearInterval(this.#working)
    if (this.#options.link.nc.isClosed()) return
    this.#cancels?.unsubscribe()
  }

  async #follow(): Promise<void> {
    const { link, slots, deliver, logger } = this.#options
    for await (const plan of watchPlan(link, logger, this.#stopping.signal)) {
      this.#roles.follow(plan)
      for (const [partition, pull] of this.#pulls) {
        if (partition < plan.partitions) continue
        this.#pulls.delete(partition)
        await pull.stop()
      }
      for (const [partition, role] of this.#roles.now().entries()) {
        const pull = this.#pulls.get(partition)
        if (pull) pull.become(role)
        else this.#pulls.set(partition, new PartitionPull({ link, partition, slots, role, deliver, logger }))
      }
    }
  }

  #told(backlog: Uint8Array): void {
    const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), Backlog), new TextDecoder().decode(backlog))
    if (!parsed.success) return // of a planner that is newer: what it tells is a help, and nothing depends on it
    this.#roles.told(parsed.output)
    this.#become()
  }

  #become(): void {
    for (const [partition, role] of this.#roles.now().entries()) this.#pulls.get(partition)?.become(role)
  }
}
