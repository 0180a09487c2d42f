import type { Msg, Subscription } from '@nats-io/nats-core'
import { CHECK_BEAT_MS, type CheckAnswer, CheckOrder } from '@oriel/protocol/check'
import type { Manifest } from '@oriel/protocol/manifest'
import { describeIssues } from '@oriel/protocol/problem'
import { CHECK, CHECKERS, checkedSubject } from '@oriel/protocol/subjects'
import * as v from 'valibot'
import type { Logger } from '../logger.ts'
import type { NatsLink } from '../nats-link.ts'

const Order = v.pipe(v.string(), v.parseJson(), CheckOrder)

export interface CheckerOptions {
  readonly link: NatsLink
  readonly check: (manifest: Manifest) => Promise<CheckAnswer>
  readonly logger: Logger
}

/** Checks the versions that this node is asked to: the broker asks one of all. */
export class Checker {
  readonly #options: CheckerOptions
  #subscription: Subscription | undefined

  constructor(options: CheckerOptions) {
    this.#options = options
  }

  run(): void {
    const callback = (_: unknown, message: Msg) => void this.#take(message)
    this.#subscription = this.#options.link.nc.subscribe(CHECK, { queue: CHECKERS, callback })
  }

  /** What is being checked is checked by another, after a silence. */
  stop(): void {
    if (!this.#options.link.nc.isClosed()) this.#subscription?.unsubscribe()
  }

  async #take(message: Msg): Promise<void> {
    const { check, logger } = this.#options
    const order = v.safeParse(Order, message.string())
    if (!order.success) return logger.error('a check cannot be read', { detail: describeIssues(order.issues) })
    const { name, version } = order.output
    this.#say(order.output, { kind: 'working' })
    const beat = setInterval(() => this.#say(order.output, { kind: 'working' }), CHECK_BEAT_MS)
    try {
      const answer = await check(order.output)
      logger.info('a version was checked', { name, version, ...answer, manifest: undefined })
      this.#say(order.output, answer)
    } finally {
      clearInterval(beat)
    }
  }

  #say({ name, version }: Manifest, answer: CheckAnswer): void {
    const { nc } = this.#options.link
    // One that is not heard is asked for again.
    if (!nc.isClosed()) nc.publish(checkedSubject(name, version), JSON.stringify(answer))
  }
}
