import type { NatsConnection } from '@nats-io/nats-core'
import { JOBS, type Lane, laneConsumer } from '@oriel/protocol/subjects'
import * as v from 'valibot'

const ConsumerInfo = v.object({ num_pending: v.number() })

/** How old a depth may be before the broker is asked again, ms. */
const FRESH_MS = 500

/** How many jobs wait in each lane of each partition, asked for at most twice a second. */
export class QueueDepth {
  #known = new Map<string, { depth: number; at: number }>()
  #asking = new Map<string, Promise<void>>()

  /** The last depth heard, at once; 0 before the first. */
  of(partition: number, lane: Lane): number {
    return this.#known.get(laneConsumer(partition, lane))?.depth ?? 0
  }

  /** One more waits, as far as we know: until the broker is asked again. */
  joined(partition: number, lane: Lane): void {
    const known = this.#known.get(laneConsumer(partition, lane))
    if (known) known.depth += 1
  }

  /** Asks again if what is known is old. A failure leaves it as it is: a place in the queue is a courtesy. */
  async refresh(connection: NatsConnection, partition: number, lane: Lane, now: number): Promise<void> {
    const consumer = laneConsumer(partition, lane)
    if (now - (this.#known.get(consumer)?.at ?? 0) < FRESH_MS) return
    const asking = this.#asking.get(consumer) ?? this.#ask(connection, consumer, now)
    this.#asking.set(consumer, asking)
    await asking.finally(() => this.#asking.delete(consumer))
  }

  async #ask(connection: NatsConnection, consumer: string, now: number): Promise<void> {
    const subject = `$JS.API.CONSUMER.INFO.${JOBS}.${consumer}`
    const reply = await connection.request(subject, undefined, { timeout: 2_000 })
    const info = v.safeParse(ConsumerInfo, reply.json())
    if (info.success) this.#known.set(consumer, { depth: info.output.num_pending, at: now })
  }
}
