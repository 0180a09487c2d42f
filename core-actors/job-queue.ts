import { JetStreamApiError, jetstream } from '@nats-io/jetstream'
import type { NatsConnection } from '@nats-io/nats-core'
import type { Job } from '@oriel/protocol/job'
import type { Problem } from '@oriel/protocol/problem'
import { jobSubject } from '@oriel/protocol/subjects'
import type { QueueDepth } from './queue-depth.ts'

/** JetStream's error code for a message that the stream's limits refuse, from the server's errors.json. */
const STORE_FAILED = 10077

/**
 * Sends a job. The broker knows a repeat by its id.
 * @returns why it was refused: the model's queue is full
 * @throws when the broker may or may not have it
 */
export async function sendJob(
  connection: NatsConnection,
  depth: QueueDepth,
  partition: number,
  job: Job,
): Promise<Problem | undefined> {
  const { id, dispatch, model, lane } = job
  try {
    await jetstream(connection).publish(jobSubject(partition, lane, model), JSON.stringify(job), {
      msgID: `${id}.${dispatch}`,
    })
    depth.joined(partition, lane)
    return undefined
  } catch (error) {
    const full = error instanceof JetStreamApiError && error.code === STORE_FAILED && /maximum/.test(error.message)
    if (!full) throw error
    const { rate, retryAfterMs } = depth.refused(partition, lane, Date.now())
    const detail = `Too many requests wait for model ${model} in the ${lane} lane${pace(rate)}; nothing was accepted.`
    return { kind: 'queue-full', detail, retryAfterMs }
  }
}

function pace(rate: number | undefined): string {
  if (rate === undefined) return ''
  if (rate === 0) return ', from which no node takes any now'
  const [count, unit] = rate >= 1 ? [rate, 'second'] : [rate * 60, 'minute']
  return `, which nodes take at about ${Math.max(1, Math.round(count))} a ${unit}`
}
