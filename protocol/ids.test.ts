import { expect, test } from 'bun:test'
import fc from 'fast-check'
import * as v from 'valibot'
import { ClientRequestID, newRequestId, RequestId, sentAtOf, shardOf } from './ids.ts'

const times = fc.integer({ min: 0, max: 2 ** 47 })

test('an id carries its time of sending and sorts by it', () => {
  fc.assert(
    fc.property(times, times, (a, b) => {
      expect(v.is(RequestId, newRequestId(a))).toBe(true)
      expect(sentAtOf(newRequestId(a))).toBe(a)
      if (a < b) expect(newRequestId(a) < newRequestId(b)).toBe(true)
    }),
  )
})

test('ids of the same millisecond differ, spread over the shards, and may name a request', () => {
  const ids = Array.from({ length: 2_000 }, () => newRequestId(1_000))
  expect(new Set(ids).size).toBe(ids.length)
  const counts = [0, 0, 0, 0]
  for (const id of ids) counts[shardOf(id, 4)] = (counts[shardOf(id, 4)] ?? 0) + 1
  for (const count of counts) expect(count).toBeGreaterThan(300)
  expect(v.is(ClientRequestID, ids[0])).toBe(true)
})
