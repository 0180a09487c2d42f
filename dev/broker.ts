import type { NatsConnection } from '@nats-io/nats-core'
import { connect } from '@nats-io/transport-node'
import type { Identity } from './identities.ts'
import { inboxOf } from './identities.ts'
import { HOST } from './ports.ts'

export const natsUrl = (port: number) => `nats://${HOST}:${port}`

/** A connection to the local broker that does not wait for it: for programs that run beside a stack. */
export function connectBroker(port: number, identity: Identity, password: string): Promise<NatsConnection> {
  return connect({
    servers: natsUrl(port),
    user: identity,
    pass: password,
    name: `dev-${identity}`,
    inboxPrefix: inboxOf(identity),
    reconnect: false,
    timeout: 2_000,
  })
}
