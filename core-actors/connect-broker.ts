import type { NatsConnection } from '@nats-io/nats-core'
import { wsconnect } from '@nats-io/nats-core'
import { EDGE_INBOX } from '@oriel/protocol/permissions'
import { promptSocket } from './prompt-socket.ts'

export interface BrokerConfig {
  readonly url: string
  readonly user: string
  readonly password: string
  readonly name: string
}

const RECONNECT_MS = 250
const DIAL_MS = 2_000
/** A half-open connection is left after three of these. */
const PING_MS = 2_500

/** Tries until the broker is there, now and after every loss. */
export function connectBroker({ url, user, password, name }: BrokerConfig): Promise<NatsConnection> {
  return wsconnect({
    servers: url,
    user,
    pass: password,
    name,
    inboxPrefix: EDGE_INBOX,
    timeout: DIAL_MS,
    pingInterval: PING_MS,
    wsFactory: async (server) => ({ socket: promptSocket(server), encrypted: server.startsWith('wss:') }),
    waitOnFirstConnect: true,
    maxReconnectAttempts: -1,
    reconnectTimeWait: RECONNECT_MS,
    reconnectJitter: RECONNECT_MS,
    ignoreAuthErrorAbort: true,
    noAsyncTraces: true,
  })
}
