import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { batches } from './batches.ts'

const never = (_ms: number, signal: AbortSignal) =>
  new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()))
const limits = { maxItems: 3, maxBytes: 100, lingerMs: 50, bytesOf: (item: number) => item, wait: never }

async function* from(items: readonly number[]) {
  yield* items
}

test('every item is in one batch, in order, and no batch is over its limits', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.integer({ min: 0, max: 120 })), async (items) => {
      const all = await Array.fromAsync(batches(from(items), limits))
      expect(all.flat()).toEqual(items)
      for (const batch of all) {
        expect(batch.length).toBeGreaterThan(0)
        expect(batch.length).toBeLessThanOrEqual(3)
        // Without the item that closed it.
        expect(batch.slice(0, -1).reduce((sum, item) => sum + item, 0)).toBeLessThan(100)
      }
    }),
  )
})

test('a batch that is not full is given when its time is over, and the item that comes later is not lost', async () => {
  const more = Promise.withResolvers<number>()
  let over = () => {}
  const wait = () => new Promise<void>((resolve) => (over = resolve))
  const source = (async function* () {
    yield 1
    yield 2
    yield await more.promise
  })()
  const grouped = batches(source, { ...limits, wait })
  const first = grouped.next()
  for (let turn = 0; turn < 20; turn++) await Promise.resolve()
  over()
  expect(await first).toEqual({ done: false, value: [1, 2] })
  const second = grouped.next()
  more.resolve(3)
  expect(await second).toEqual({ done: false, value: [3] })
  expect((await grouped.next()).done).toBe(true)
})

test('what was received before the source failed is given first', async () => {
  const source = (async function* () {
    yield 1
    throw new Error('the connection broke')
  })()
  const grouped = batches(source, { ...limits, maxItems: 1 })
  expect((await grouped.next()).value).toEqual([1])
  await expect(grouped.next()).rejects.toThrow('the connection broke')
})
