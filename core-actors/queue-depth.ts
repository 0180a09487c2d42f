import type { NatsConnection } from '@nats-io/nats-core'
import { JOBS, type Lane, laneConsumer } from '@oriel/protocol/subjects'
import * as v from 'valibot'
import { drainRate, retryAfterMs, roomAt, type Sample, sampled } from './drain-rate.ts'

const ConsumerInfo = v.object({ num_pending: v.number(), delivered: v.object({ consumer_seq: v.number() }) })

/** How old a depth may be before the broker is asked again, ms. */
const FRESH_MS = 500

interface Known {
  depth: number
  at: number
  samples: readonly Sample[]
  /** When the last one who was refused was told to come back. */
  promisedAt: number
}

/** How many jobs wait in each lane of each partition, and how fast they are taken; asked for at most twice a second. */
export class QueueDepth {
  #known = new Map<string, Known>()
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

  /** One is refused: how fast the lane is emptied, per second, and when it may try again. */
  refused(partition: number, lane: Lane, now: number): { rate: number | undefined; retryAfterMs: number } {
    const known = this.#known.get(laneConsumer(partition, lane))
    const rate = known && drainRate(known.samples, now)
    const promisedAt = roomAt(rate, known?.promisedAt ?? 0, now)
    if (known) known.promisedAt = promisedAt
    return { rate, retryAfterMs: retryAfterMs(promisedAt, now) }
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
    if (!info.success) return
    const { num_pending: depth, delivered } = info.output
    const { samples = [], promisedAt = 0 } = this.#known.get(consumer) ?? {}
    const next = sampled(samples, { at: now, delivered: delivered.consumer_seq })
    this.#known.set(consumer, { depth, at: now, samples: next, promisedAt })
  }
}
