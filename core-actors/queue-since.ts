import type { NatsConnection } from '@nats-io/nats-core'
import { JOBS, type Lane, laneConsumer } from '@oriel/protocol/subjects'
import * as v from 'valibot'

const ConsumerInfo = v.object({ created: v.pipe(v.string(), v.isoTimestamp()) })
const ASK_MS = 2_000

/**
 * When the broker began the queue of a lane, ms since the epoch: what was sent before is not in it. It is begun anew
 * when the broker has lost its state.
 * @throws when the broker does not answer
 */
export async function queueSince(connection: NatsConnection, partition: number, lane: Lane): Promise<number> {
  const subject = `$JS.API.CONSUMER.INFO.${JOBS}.${laneConsumer(partition, lane)}`
  const reply = await connection.request(subject, undefined, { timeout: ASK_MS })
  return Date.parse(v.parse(ConsumerInfo, reply.json()).created)
}
