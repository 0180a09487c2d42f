import type { NatsConnection } from '@nats-io/nats-core'
import type { Log } from './log.ts'

/** Logs every loss and return of the broker, and what it refuses, until the connection is closed. */
export async function logConnection(nc: NatsConnection, log: Log): Promise<void> {
  for await (const status of nc.status()) {
    if (status.type === 'disconnect') log('warn', 'the broker is away')
    else if (status.type === 'reconnect') log('info', 'the broker is back')
    else if (status.type === 'error') log('error', 'the broker refuses something', { error: status.error.message })
  }
}
