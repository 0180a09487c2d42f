import { connect, type NatsConnection, type NodeConnectionOptions } from '@nats-io/transport-node'
import type { Log } from './log.ts'
import { wait } from './wait.ts'

const RETRY_MS = 500

/** A connection, as soon as there is a broker that lets us in; undefined when `stop` is aborted before. */
export async function connectNats(
  options: NodeConnectionOptions,
  log: Log,
  stop: AbortSignal,
): Promise<NatsConnection | undefined> {
  while (!stop.aborted) {
    try {
      return await connect(options)
    } catch (error) {
      log('warn', 'the broker cannot be reached', { error: String(error) })
      await wait(RETRY_MS, stop)
    }
  }
}
