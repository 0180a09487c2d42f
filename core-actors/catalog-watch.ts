import { JetStreamApiCodes, JetStreamApiError } from '@nats-io/jetstream'
import type { KvWatchEntry } from '@nats-io/kv'
import { Kvm } from '@nats-io/kv'
import type { NatsConnection } from '@nats-io/nats-core'
import { ModelAliases } from '@oriel/protocol/alias'
import { KnownVersion } from '@oriel/protocol/known-version'
import { NodeStatus } from '@oriel/protocol/node-status'
import { Placement } from '@oriel/protocol/placement'
import { ALIASES, MODELS, NODES, PLACEMENT } from '@oriel/protocol/subjects'
import * as v from 'valibot'
import type { Catalog } from './catalog.ts'

const AGAIN_MS = 1_000

/**
 * Keeps `catalog` at what the buckets say until `signal` is aborted, whatever happens to the watches.
 * Resolves when it has seen all they hold, or when it is told to stop.
 */
export async function watchCatalog(
  connection: NatsConnection,
  catalog: Catalog,
  signal: AbortSignal,
  wait: (ms: number) => Promise<unknown>,
): Promise<void> {
  const watching = { kvm: new Kvm(connection), signal, wait }
  const models = keepWatching(watching, MODELS, (key, value) =>
    catalog.putManifest(key, value && v.parse(KnownVersion, value)),
  )
  await Promise.all([
    models,
    // A broker of an older version has models and no aliases. One that has neither has lost them: it is waited for.
    models.then(() =>
      keepWatching({ ...watching, optional: true }, ALIASES, (key, value) =>
        catalog.putAliases(key, value && v.parse(ModelAliases, value)),
      ),
    ),
    keepWatching(watching, NODES, (key, value, heardAt) =>
      catalog.putNode(key, value && v.parse(NodeStatus, value), heardAt),
    ),
    keepWatching(watching, PLACEMENT, (_key, value) => value && catalog.putPlacement(v.parse(Placement, value))),
  ])
}

type Put = (key: string, value: Record<string, unknown> | undefined, heardAt: number) => void

interface Watching {
  readonly kvm: Kvm
  readonly signal: AbortSignal
  readonly wait: (ms: number) => Promise<unknown>
  /** A bucket that is not there counts as an empty one, until it is there. */
  readonly optional?: boolean
}

function keepWatching({ kvm, signal, wait, optional }: Watching, bucket: string, put: Put): Promise<void> {
  const seen = Promise.withResolvers<void>()
  const run = async () => {
    while (!signal.aborted) {
      await watch(kvm, bucket, signal, put, seen.resolve).catch((error) => {
        if (optional && isMissing(error)) seen.resolve()
        if (!signal.aborted) console.warn(`the watch of ${bucket} broke`, error)
      })
      if (!signal.aborted) await wait(AGAIN_MS)
    }
    seen.resolve()
  }
  void run()
  return seen.promise
}

const isMissing = (error: unknown): boolean =>
  error instanceof JetStreamApiError && error.code === JetStreamApiCodes.StreamNotFound

/** Comes back when the watch has ended. */
async function watch(kvm: Kvm, bucket: string, signal: AbortSignal, put: Put, seen: () => void): Promise<void> {
  const kv = await kvm.open(bucket)
  if ((await kv.status()).values === 0) seen()
  const entries = await kv.watch()
  const stop = () => entries.stop()
  signal.addEventListener('abort', stop)
  if (signal.aborted) stop()
  try {
    for await (const entry of entries) {
      apply(entry, put)
      if (entry.isUpdate || entry.delta === 0) seen()
    }
  } finally {
    signal.removeEventListener('abort', stop)
  }
}

/** An entry that does not parse was written by a newer or a broken program: passed over and logged, not fatal. */
function apply(entry: KvWatchEntry, put: Put): void {
  try {
    // What was there before we looked is as old as the broker says.
    const heardAt = entry.isUpdate ? Date.now() : Math.min(Date.now(), entry.created.getTime())
    put(entry.key, entry.operation === 'PUT' ? entry.json<Record<string, unknown>>() : undefined, heardAt)
  } catch (error) {
    console.warn(`an entry of ${entry.bucket} was not understood`, entry.key, error)
  }
}
