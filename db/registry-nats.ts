import { type KvEntry, Kvm } from '@nats-io/kv'
import type { NatsConnection } from '@nats-io/nats-core'
import { KnownVersion } from '@oriel/protocol/known-version'
import { NodeStatus } from '@oriel/protocol/node-status'
import { describeIssues } from '@oriel/protocol/problem'
import { MODELS, NODES } from '@oriel/protocol/subjects'
import * as v from 'valibot'
import type { Liveness } from './liveness.ts'
import type { Log } from './log.ts'
import type { Registry } from './registry.ts'
import { wait } from './wait.ts'

const RETRY_MS = 1_000

/** Tells what the buckets of models and nodes hold, and every change, until `stop` is aborted. */
export async function watchRegistry(
  nc: NatsConnection,
  registry: Registry,
  liveness: Liveness,
  log: Log,
  stop: AbortSignal,
) {
  const watching = { nc, log, stop }
  liveness.listens(Date.now())
  void untilClosed(nc, liveness)
  await Promise.all([
    watchBucket(watching, MODELS, KnownVersion, (known) => {
      if (!known.registered) registry.sawModel(known) // the others came from here
    }),
    watchBucket(watching, NODES, NodeStatus, (status) => {
      registry.sawNode(status)
      liveness.sawNode(status, Date.now())
    }),
  ])
}

/** While the broker is away, nobody can be heard. */
async function untilClosed(nc: NatsConnection, liveness: Liveness): Promise<void> {
  for await (const { type } of nc.status()) {
    if (type === 'disconnect') liveness.deaf()
    if (type === 'reconnect') liveness.listens(Date.now())
  }
  liveness.deaf()
}

interface Watching {
  readonly nc: NatsConnection
  readonly log: Log
  readonly stop: AbortSignal
}

async function watchBucket<S extends v.GenericSchema>(
  { nc, log, stop }: Watching,
  bucket: string,
  schema: S,
  saw: (value: v.InferOutput<S>) => void,
): Promise<void> {
  while (!stop.aborted) {
    try {
      const kv = await new Kvm(nc).open(bucket)
      const entries = await kv.watch({ ignoreDeletes: true })
      const end = () => entries.stop()
      stop.addEventListener('abort', end)
      if (stop.aborted) end()
      // A broker that comes back may have lost the bucket; the watch would wait for revisions it has seen.
      void onceReconnected(nc).then(end)
      for await (const entry of entries) {
        const value = v.safeParse(schema, jsonOf(entry))
        if (value.success) saw(value.output)
        else log('error', 'an entry cannot be read', { bucket, key: entry.key, reason: describeIssues(value.issues) })
      }
      stop.removeEventListener('abort', end)
    } catch (error) {
      log('warn', 'a bucket cannot be watched', { bucket, error: String(error) })
      await wait(RETRY_MS, stop)
    }
  }
}

async function onceReconnected(nc: NatsConnection): Promise<void> {
  for await (const { type } of nc.status()) if (type === 'reconnect') return
}

function jsonOf(entry: KvEntry): unknown {
  try {
    return entry.json()
  } catch {
    return undefined
  }
}
