import { connect } from '@nats-io/transport-node'
import { NODE_INBOX } from '@oriel/protocol/permissions'
import type { Config } from './config.ts'
import type { Logger } from './logger.ts'
import { NatsLink } from './nats-link.ts'

const RECONNECT_MS = 250
/** Two pings without an answer: a connection that is half open is given up after some 15 s. */
const PING_MS = 5_000

/** Waits for a broker that is not there yet, and never gives one up that was. @throws when it refuses the identity */
export async function connectBroker(config: Config, logger: Logger): Promise<NatsLink> {
  const user = config.ORIEL_NATS_USER === undefined ? {} : { user: config.ORIEL_NATS_USER }
  const pass = config.ORIEL_NATS_PASSWORD === undefined ? {} : { pass: config.ORIEL_NATS_PASSWORD }
  const nc = await connect({
    servers: config.ORIEL_NATS_URL.split(','),
    ...user,
    ...pass,
    name: config.ORIEL_NODE_NAME,
    inboxPrefix: NODE_INBOX,
    waitOnFirstConnect: true,
    maxReconnectAttempts: -1,
    reconnectTimeWait: RECONNECT_MS,
    pingInterval: PING_MS,
    maxPingOut: 2,
    noAsyncTraces: true,
  })
  void (async () => {
    for await (const status of nc.status()) {
      if (status.type === 'disconnect') logger.warn('the broker is away')
      if (status.type === 'reconnect') logger.info('the broker is back')
      if (status.type === 'error') logger.warn('the broker refused something', { cause: status.error })
    }
  })()
  return new NatsLink(nc)
}
