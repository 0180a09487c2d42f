import { jetstreamManager } from '@nats-io/jetstream'
import type { NatsConnection } from '@nats-io/nats-core'
import { JOBS } from '@oriel/protocol/subjects'
import { LET_IN } from './flood-plan.ts'

/** Has JOBS refuse what is over the limit of a run. What is queued already must be fewer: the broker drops the rest. */
export async function lowerQueues(nc: NatsConnection): Promise<void> {
  const { streams } = await jetstreamManager(nc)
  const { config } = await streams.info(JOBS)
  await streams.update(JOBS, { ...config, max_msgs_per_subject: LET_IN.queued })
}
