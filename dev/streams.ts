import type { JetStreamManager, StreamConfig } from '@nats-io/jetstream'
import { JetStreamApiError, jetstream, jetstreamManager } from '@nats-io/jetstream'
import { Kvm } from '@nats-io/kv'
import type { NatsConnection } from '@nats-io/nats-core'
import { Placement } from '@oriel/protocol/placement'
import { BUCKETS, type jobsConsumer, jobsConsumers, RECORDER_CONSUMER, STREAMS } from '@oriel/protocol/streams'
import { HISTORY, JOBS, PLACEMENT, PLAN } from '@oriel/protocol/subjects'
import * as v from 'valibot'

/** Errors of the JetStream API: https://github.com/nats-io/nats-server/blob/main/server/errors.json */
const STREAM_NOT_FOUND = 10059
const CONSUMER_EXISTS = 10148

/**
 * Brings the broker's streams, buckets and consumers to what the contract says; what is right already stays as it
 * is, with all that it holds. The plan is written only when there is none, or when it is to have more
 * partitions; it is the planner's otherwise. Fewer it never gets: jobs may wait in those.
 */
export async function prepareBroker(nc: NatsConnection, firstPlan: Placement): Promise<void> {
  const manager = await jetstreamManager(nc)
  await Promise.all(STREAMS.map((stream) => putStream(manager, unfrozen(stream))))
  const kvm = new Kvm(jetstream(nc))
  await Promise.all(BUCKETS.map(({ name, ttlMs }) => putBucket(manager, kvm, name, ttlMs)))
  const { plan, revision } = await ensurePlan(kvm, firstPlan)
  const partitions = Math.max(plan.partitions, firstPlan.partitions)
  const wanted = jobsConsumers(partitions)
  await dropOthers(manager, new Set(wanted.map(({ durable_name }) => durable_name)))
  await Promise.all(wanted.map((consumer) => putConsumer(manager, consumer)))
  // Nobody may send to a partition that has no consumer yet. Whose plan is newer than the one read here wins.
  if (plan.partitions < partitions) {
    const bucket = await kvm.open(PLACEMENT)
    await bucket.update(PLAN, JSON.stringify({ ...plan, partitions }), revision)
  }
  await manager.consumers.add(HISTORY, RECORDER_CONSUMER)
}

/** One that is there and another than it should be is changed, and keeps what it has. */
async function putConsumer(manager: JetStreamManager, config: ReturnType<typeof jobsConsumer>): Promise<void> {
  try {
    await manager.consumers.add(JOBS, config)
  } catch (error) {
    if (!(error instanceof JetStreamApiError) || error.code !== CONSUMER_EXISTS) throw error
    await manager.consumers.update(JOBS, config.durable_name, config)
  }
}

/** On a work queue no two consumers may want the same job: those of an earlier plan go first. Jobs stay. */
async function dropOthers(manager: JetStreamManager, wanted: ReadonlySet<string>): Promise<void> {
  for await (const { name } of manager.consumers.list(JOBS)) {
    if (!wanted.has(name)) await manager.consumers.delete(JOBS, name)
  }
}

async function putStream(manager: JetStreamManager, config: Partial<StreamConfig> & { name: string }): Promise<void> {
  try {
    await manager.streams.update(config.name, config)
  } catch (error) {
    if (!(error instanceof JetStreamApiError) || error.code !== STREAM_NOT_FOUND) throw error
    await manager.streams.add(config)
  }
}

async function putBucket(manager: JetStreamManager, kvm: Kvm, name: string, ttlMs: number): Promise<void> {
  await kvm.create(name, { ttl: ttlMs })
  const maxAge = ttlMs * 1e6
  const { config } = await manager.streams.info(`KV_${name}`)
  if (config.max_age !== maxAge) await manager.streams.update(`KV_${name}`, { ...config, max_age: maxAge })
}

async function ensurePlan(kvm: Kvm, firstPlan: Placement): Promise<{ plan: Placement; revision: number }> {
  const bucket = await kvm.open(PLACEMENT)
  try {
    return { plan: firstPlan, revision: await bucket.create(PLAN, JSON.stringify(firstPlan)) }
  } catch (error) {
    const entry = await bucket.get(PLAN)
    if (!entry) throw error
    return { plan: v.parse(v.pipe(v.string(), v.parseJson(), Placement), entry.string()), revision: entry.revision }
  }
}

/** The contract's constants are read-only; the client's types are not. */
const unfrozen = (stream: (typeof STREAMS)[number]) => ({ ...stream, subjects: [...stream.subjects] })
