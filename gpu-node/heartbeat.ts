import { HEARTBEAT_MS, type NodeStatus } from '@oriel/protocol/node-status'
import type { Clock } from './clock.ts'
import type { Logger } from './logger.ts'
import type { NodeRegistry } from './node-registry.ts'

/** The least time between two beats: a node under load changes thousands of times a second. */
export const DEBOUNCE_MS = 250

export interface HeartbeatOptions {
  readonly registry: NodeRegistry
  readonly clock: Clock
  readonly logger: Logger
  readonly describe: () => NodeStatus
}

/** Tells the others how this node is: every `HEARTBEAT_MS`, and soon after a change. */
export class Heartbeat {
  readonly #options: HeartbeatOptions
  #running = false
  #beating: Promise<void> | undefined
  #changed = false
  #lastAt = Number.NEGATIVE_INFINITY
  #next: { at: number; cancel: () => void } | undefined

  constructor(options: HeartbeatOptions) {
    this.#options = options
  }

  run(): void {
    this.#running = true
    this.#schedule(0)
  }

  changed(): void {
    this.#changed = this.#beating !== undefined
    this.#schedule(this.#lastAt + DEBOUNCE_MS - this.#options.clock.now())
  }

  /** The node is gone, and the others know it at once. */
  async stop(): Promise<void> {
    this.#running = false
    this.#next?.cancel()
    this.#next = undefined
    await this.#beating
    try {
      await this.#options.registry.leave(this.#options.describe().node)
    } catch (cause) {
      // Its key ends by itself, a little later.
      this.#options.logger.warn('the node could not take its leave', { cause })
    }
  }

  #schedule(waitMs: number): void {
    if (!this.#running || this.#beating) return
    const { clock } = this.#options
    const at = clock.now() + Math.max(0, waitMs)
    if (this.#next && this.#next.at <= at) return
    this.#next?.cancel()
    this.#next = { at, cancel: clock.setTimer(at - clock.now(), () => this.#beat()) }
  }

  #beat(): void {
    const { registry, clock, describe, logger } = this.#options
    this.#next = undefined
    this.#lastAt = clock.now()
    const status = describe()
    this.#beating = registry
      .beat(status)
      .catch((cause) => logger.warn('a heartbeat was not heard', { cause }))
      .finally(() => {
        this.#beating = undefined
        const everyMs = this.#changed ? DEBOUNCE_MS : HEARTBEAT_MS
        this.#changed = false
        this.#schedule(this.#lastAt + everyMs - clock.now())
      })
  }
}
