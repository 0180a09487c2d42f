import type { NatsConnection } from '@nats-io/nats-core'
import type { RequestId } from '@oriel/protocol/ids'
import { ALL_MAX_DELIVERIES, DISCONNECTED } from '@oriel/protocol/subjects'
import type { EndingParts } from './end-request.ts'
import { subscribe } from './subscribe.ts'
import type { Takeover } from './takeover.ts'
import { giveUp } from './undeliverable.ts'

/** Acts on what the broker tells of itself: connections that have ended, and jobs that had all their deliveries. */
export function hearBrokerNews(
  connection: NatsConnection,
  takeover: Takeover,
  shardOf: (id: RequestId) => number,
  parts: EndingParts,
): void {
  subscribe(connection, DISCONNECTED, async (message) => {
    const jobs = await takeover.disconnected(message.json())
    if (jobs > 0) console.warn('a node is gone, and its jobs were given to the others', jobs)
  })
  subscribe(connection, ALL_MAX_DELIVERIES, (message) => giveUp(connection, message.json(), shardOf, parts))
}
