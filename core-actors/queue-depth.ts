import type { NatsConnection } from '@nats-io/nats-core'
import { JOBS, partitionConsumer } from '@oriel/protocol/subjects'
import * as v from 'valibot'

const ConsumerInfo = v.object({ num_pending: v.number() })

/** How old a depth may be before the broker is asked again, ms. */
const FRESH_MS = 500

/** How many jobs wait in each partition, asked for at most twice a second. */
export class QueueDepth {
  #known = new Map<number, { depth: number; at: number }>()
  #asking = new Map<number, Promise<void>>()

  /** The last depth heard, at once; 0 before the first. */
  of(partition: number): number {
    return this.#known.get(partition)?.depth ?? 0
  }

  /** One more waits, as far as we know: until the broker is asked again. */
  joined(partition: number): void {
    const known = this.#known.get(partition)
    if (known) known.depth += 1
  }

  /** Asks again if what is known is old. A failure leaves it as it is: a place in the queue is a courtesy. */
  async refresh(connection: NatsConnection, partition: number, now: number): Promise<void> {
    if (now - (this.#known.get(partition)?.at ?? 0) < FRESH_MS) return
    const asking = this.#asking.get(partition) ?? this.#ask(connection, partition, now)
    this.#asking.set(partition, asking)
    await asking.finally(() => this.#asking.delete(partition))
  }

  async #ask(connection: NatsConnection, partition: number, now: number): Promise<void> {
    const subject = `$JS.API.CONSUMER.INFO.${JOBS}.${partitionConsumer(partition)}`
    const reply = await connection.request(subject, undefined, { timeout: 2_000 })
    const info = v.safeParse(ConsumerInfo, reply.json())
    if (info.success) this.#known.set(partition, { depth: info.output.num_pending, at: now })
  }
}
