import type { KvEntry } from '@nats-io/kv'
import { Kvm } from '@nats-io/kv'
import type { NatsConnection } from '@nats-io/nats-core'
import { Manifest } from '@oriel/protocol/manifest'
import { NodeStatus } from '@oriel/protocol/node-status'
import { Placement } from '@oriel/protocol/placement'
import { MODELS, NODES, PLACEMENT } from '@oriel/protocol/subjects'
import * as v from 'valibot'
import type { Catalog } from './catalog.ts'

/**
 * Keeps `catalog` at what the buckets say; resolves when it has seen all they hold.
 * The watches end with the connection, or when `signal` is aborted.
 */
export async function watchCatalog(connection: NatsConnection, catalog: Catalog, signal: AbortSignal): Promise<void> {
  const kvm = new Kvm(connection)
  await Promise.all([
    watch(kvm, MODELS, signal, (key, value) => catalog.putManifest(key, value && v.parse(Manifest, value))),
    watch(kvm, NODES, signal, (key, value) => catalog.putNode(key, value && v.parse(NodeStatus, value), Date.now())),
    watch(kvm, PLACEMENT, signal, (_key, value) => value && catalog.putPlacement(v.parse(Placement, value))),
  ])
}

type Put = (key: string, value: Record<string, unknown> | undefined) => void

async function watch(kvm: Kvm, bucket: string, signal: AbortSignal, put: Put): Promise<void> {
  const kv = await kvm.open(bucket)
  const initial = Promise.withResolvers<void>()
  if ((await kv.status()).values === 0) initial.resolve()
  const entries = await kv.watch()
  signal.addEventListener('abort', () => entries.stop())
  const follow = async () => {
    for await (const entry of entries) {
      apply(entry, put)
      if (entry.isUpdate || entry.delta === 0) initial.resolve()
    }
  }
  follow().catch((error) => console.warn(`the watch of ${bucket} broke`, error))
  await initial.promise
}

/** An entry that does not parse was written by a newer or a broken program: passed over and logged, not fatal. */
function apply(entry: KvEntry, put: Put): void {
  try {
    put(entry.key, entry.operation === 'PUT' ? entry.json<Record<string, unknown>>() : undefined)
  } catch (error) {
    console.warn(`an entry of ${entry.bucket} was not understood`, entry.key, error)
  }
}
