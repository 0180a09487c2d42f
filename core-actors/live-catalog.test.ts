import { expect, test } from 'bun:test'
import type { NatsConnection } from '@nats-io/nats-core'
import { LiveCatalog } from './live-catalog.ts'

const CONNECTION = {} as NatsConnection

function setup() {
  const waits: { ms: number; over: () => void }[] = []
  const watches: (() => void)[] = []
  const catalog = new LiveCatalog(
    () => new Promise((seen) => watches.push(seen)),
    (ms) => new Promise<void>((over) => waits.push({ ms, over })),
  )
  return { catalog, waits, watches }
}

test('all who wait for the first catalog wait together, and nobody after it', async () => {
  const { catalog, waits, watches } = setup()
  catalog.follow(CONNECTION)
  const calls = Promise.all(Array.from({ length: 1_000 }, () => catalog.first(3_000)))
  expect(waits.map(({ ms }) => ms)).toEqual([3_000])
  watches[0]?.()
  await calls
  await catalog.first(3_000)
  expect(waits.length).toBe(1)
})

test('a catalog that does not come is waited for once, not by every call', async () => {
  const { catalog, waits } = setup()
  catalog.follow(CONNECTION)
  const first = catalog.first(3_000)
  waits[0]?.over()
  await first
  await catalog.first(3_000)
  expect(waits.length).toBe(1)
})

test('a broker that is there again is not waited for: the old catalog stands', async () => {
  const { catalog, waits } = setup()
  catalog.follow(CONNECTION)
  catalog.follow(CONNECTION)
  await catalog.first(3_000)
  expect(waits).toEqual([])
})
