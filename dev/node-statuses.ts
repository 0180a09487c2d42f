import { jetstream } from '@nats-io/jetstream'
import { Kvm } from '@nats-io/kv'
import type { NatsConnection } from '@nats-io/nats-core'
import { NodeStatus } from '@oriel/protocol/node-status'
import { NODES } from '@oriel/protocol/subjects'
import * as v from 'valibot'

const Entry = v.pipe(v.string(), v.parseJson(), NodeStatus)

/** The last heartbeat of each node that the broker has not forgotten. */
export async function nodeStatuses(nc: NatsConnection): Promise<NodeStatus[]> {
  const bucket = await new Kvm(jetstream(nc)).open(NODES)
  const statuses: NodeStatus[] = []
  for await (const key of await bucket.keys()) {
    const entry = await bucket.get(key)
    const parsed = entry?.operation === 'PUT' ? v.safeParse(Entry, entry.string()) : undefined
    if (parsed?.success) statuses.push(parsed.output)
  }
  return statuses.sort((a, b) => a.node.localeCompare(b.node))
}

/** Of one node; undefined when it has not been heard of. */
export async function nodeStatus(nc: NatsConnection, node: string): Promise<NodeStatus | undefined> {
  const entry = await (await new Kvm(jetstream(nc)).open(NODES)).get(node)
  const parsed = entry?.operation === 'PUT' ? v.safeParse(Entry, entry.string()) : undefined
  return parsed?.success ? parsed.output : undefined
}
