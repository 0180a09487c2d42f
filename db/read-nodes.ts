import { jetstream } from '@nats-io/jetstream'
import { Kvm } from '@nats-io/kv'
import type { NatsConnection } from '@nats-io/nats-core'
import { NODE_TTL_MS, NodeStatus } from '@oriel/protocol/node-status'
import { homesOf, Placement, partitionOf } from '@oriel/protocol/placement'
import { NODES, PLACEMENT, PLAN } from '@oriel/protocol/subjects'
import * as v from 'valibot'
import type { Nodes } from './next-warm-up.ts'

const Status = v.pipe(v.string(), v.parseJson(), NodeStatus)
const Plan = v.pipe(v.string(), v.parseJson(), Placement)

/** The nodes that the broker has heard of lately, and where a model is at home. */
export async function readNodes(nc: NatsConnection, model: string): Promise<Nodes> {
  const kvm = new Kvm(jetstream(nc))
  const statuses = new Map<string, NodeStatus>()
  const nodes = await kvm.open(NODES)
  for await (const entry of await nodes.history()) {
    statuses.delete(entry.key)
    const status = entry.operation === 'PUT' ? v.safeParse(Status, entry.string()) : undefined
    const age = Date.now() - entry.created.getTime()
    if (status?.success && age < NODE_TTL_MS) statuses.set(entry.key, status.output)
  }
  const plan = await (await kvm.open(PLACEMENT, { allow_direct: true })).get(PLAN)
  const placement = plan?.operation === 'PUT' ? v.safeParse(Plan, plan.string()) : undefined
  const homes = placement?.success ? homesOf(placement.output, partitionOf(placement.output, model)) : []
  return { statuses: [...statuses.values()], homes }
}
