import type { NatsConnection } from '@nats-io/nats-core'
import { JOBS, LANES, laneConsumer } from '@oriel/protocol/subjects'
import * as v from 'valibot'
import type { QueueSample } from './backlog-meter.ts'

const ConsumerInfo = v.object({
  num_pending: v.number(),
  num_ack_pending: v.number(),
  delivered: v.object({ consumer_seq: v.number() }),
})
const TIMEOUT_MS = 2_000

/** How many jobs wait in each partition. @throws when the broker does not answer */
export function readQueues(nc: NatsConnection, partitions: number): Promise<QueueSample[]> {
  return Promise.all(
    Array.from({ length: partitions }, async (_, partition) => {
      const lanes = await Promise.all(LANES.map((lane) => read(nc, laneConsumer(partition, lane))))
      return lanes.reduce((sum, lane) => ({
        waiting: sum.waiting + lane.waiting,
        running: sum.running + lane.running,
        delivered: sum.delivered + lane.delivered,
      }))
    }),
  )
}

async function read(nc: NatsConnection, consumer: string): Promise<QueueSample> {
  const subject = `$JS.API.CONSUMER.INFO.${JOBS}.${consumer}`
  const reply = await nc.request(subject, undefined, { timeout: TIMEOUT_MS })
  const info = v.parse(ConsumerInfo, reply.json())
  return { waiting: info.num_pending, running: info.num_ack_pending, delivered: info.delivered.consumer_seq }
}
