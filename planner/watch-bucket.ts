import { Kvm } from '@nats-io/kv'
import type { NatsConnection } from '@nats-io/nats-core'
import * as v from 'valibot'
import type { Log } from './log.ts'

const AGAIN_MS = 1_000

export interface BucketWatch<S extends v.GenericSchema> {
  readonly nc: NatsConnection
  readonly bucket: string
  readonly schema: S
  /** @param heardAt when it was written, or when we heard of it: the earlier */
  readonly put: (key: string, value: v.InferOutput<S> | undefined, heardAt: number) => void
  readonly log: Log
  readonly signal: AbortSignal
}

/** Tells what a bucket holds and every change, until `signal` is aborted. Resolves when all that was there is told. */
export function watchBucket<S extends v.GenericSchema>(options: BucketWatch<S>): Promise<void> {
  const seen = Promise.withResolvers<void>()
  const { bucket, log, signal } = options
  void (async () => {
    while (!signal.aborted) {
      await watch(options, seen.resolve).catch((error) => {
        if (!signal.aborted) log('warn', 'a bucket cannot be watched', { bucket, error: String(error) })
      })
      if (!signal.aborted) await Bun.sleep(AGAIN_MS)
    }
  })()
  return seen.promise
}

/** Comes back when the watch has ended: with the connection, which may come back to a broker without its state. */
async function watch<S extends v.GenericSchema>(
  { nc, bucket, schema, put, log, signal }: BucketWatch<S>,
  seen: () => void,
): Promise<void> {
  const kv = await new Kvm(nc).open(bucket)
  if ((await kv.status()).values === 0) seen()
  const entries = await kv.watch()
  const stop = () => entries.stop()
  signal.addEventListener('abort', stop, { once: true })
  if (signal.aborted) stop()
  void reconnected(nc).then(stop)
  for await (const entry of entries) {
    const heardAt = entry.isUpdate ? Date.now() : Math.min(Date.now(), entry.created.getTime())
    if (entry.operation !== 'PUT') put(entry.key, undefined, heardAt)
    else {
      const value = v.safeParse(v.pipe(v.string(), v.parseJson(), schema), entry.string())
      if (value.success) put(entry.key, value.output, heardAt)
      else log('warn', 'an entry cannot be read', { bucket, key: entry.key })
    }
    if (entry.isUpdate || entry.delta === 0) seen()
  }
  signal.removeEventListener('abort', stop)
}

async function reconnected(nc: NatsConnection): Promise<void> {
  for await (const { type } of nc.status()) if (type === 'reconnect') return
}
