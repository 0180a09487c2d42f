import type { NatsConnection } from '@nats-io/nats-core'
import { inTime } from './in-time.ts'

/** How long it may take. A connection that is half open is found by pings, but not before 7.5 s. */
const WITHIN_MS = 1_000

/** Whether the broker answers over this connection now, not only did so lately. */
export async function brokerAnswers(connection: NatsConnection): Promise<boolean> {
  const answer = await inTime(() => connection.flush().then(() => true), WITHIN_MS, 'the broker was asked for a sign')
  return answer ?? false
}
