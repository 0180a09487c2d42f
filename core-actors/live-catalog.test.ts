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

test('a catalog that does not come is waited for once, not by every call, and is not there', async () => {
  const { catalog, waits, watches } = setup()
  catalog.follow(CONNECTION)
  const first = catalog.first(3_000)
  waits[0]?.over()
  expect(await first).toBe(false)
  expect(await catalog.first(3_000)).toBe(false)
  expect(waits.length).toBe(1)
  watches[0]?.()
  await turn()
  expect(await catalog.first(3_000)).toBe(true)
})

test('a broker that is there again before its first catalog was seen is waited for again', async () => {
  const { catalog, waits, watches } = setup()
  catalog.follow(CONNECTION)
  const early = catalog.first(3_000)
  catalog.follow(CONNECTION)
  watches[0]?.() // a watch that was told to stop ends, and has not seen everything
  await turn()
  const late = catalog.first(3_000)
  expect(waits.length).toBe(2)
  watches[1]?.()
  expect(await Promise.all([early, late])).toEqual([true, true])
})

test('a broker that is there again is not waited for when a catalog was seen: the old one stands', async () => {
  const { catalog, waits, watches } = setup()
  catalog.follow(CONNECTION)
  watches[0]?.()
  await turn()
  const old = catalog.now
  catalog.follow(CONNECTION)
  expect(await catalog.first(3_000)).toBe(true)
  expect(catalog.now).toBe(old)
  expect(waits).toEqual([])
})

/** What was promised is told. */
const turn = () => new Promise<void>((then) => setImmediate(then))
