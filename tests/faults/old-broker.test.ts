import { afterAll, beforeAll, expect, test } from 'bun:test'
import { jetstreamManager } from '@nats-io/jetstream'
import { Kvm } from '@nats-io/kv'
import { Catalog } from '@oriel/core-actors/catalog'
import { watchCatalog } from '@oriel/core-actors/catalog-watch'
import { ALIASES, MODELS } from '@oriel/protocol/subjects'
import { type NatsServer, startNats } from '../db/nats-server.ts'

let nats: NatsServer
beforeAll(async () => {
  nats = await startNats()
}, 60_000)
afterAll(async () => {
  await nats.stop()
})

/** @param onWait called before a watch that broke is begun again */
function watchIt(onWait: () => Promise<unknown>) {
  const stop = new AbortController()
  const seen = watchCatalog(nats.admin, new Catalog(), stop.signal, onWait)
  return { seen, stop: () => stop.abort() }
}

test('a broker of an older version has no aliases: the catalog is there without them', async () => {
  await (await jetstreamManager(nats.admin)).streams.delete(`KV_${ALIASES}`)
  const { seen, stop } = watchIt(() => new Promise(() => {}))
  await seen
  stop()
})

test('a broker that has lost its models is no empty catalog: they are waited for', async () => {
  await (await jetstreamManager(nats.admin)).streams.delete(`KV_${MODELS}`)
  const broke = Promise.withResolvers<void>()
  const again = Promise.withResolvers<void>()
  const { seen, stop } = watchIt(() => {
    broke.resolve()
    return again.promise
  })
  await broke.promise
  expect(await Promise.race([seen.then(() => 'seen'), nats.admin.flush().then(() => 'waiting')])).toBe('waiting')
  for (const bucket of [MODELS, ALIASES]) await new Kvm(nats.admin).create(bucket)
  again.resolve()
  await seen
  stop()
})
