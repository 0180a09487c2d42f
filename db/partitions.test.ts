import { expect, test } from 'bun:test'
import { newRequestId } from '@oriel/protocol/ids'
import fc from 'fast-check'
import { DAY_MS, firstIdOf, partitionOf, partitionsFor, partitionsOf } from './partitions.ts'

// A year has four digits in a partition's name: 9999 is the last.
const time = fc.integer({ min: 0, max: 253_402_300_799_999 - 40 * DAY_MS })

test('every id falls into the bounds of exactly one partition, that of its day', () => {
  fc.assert(
    fc.property(time, fc.integer({ min: 0, max: 20 }), (ms, days) => {
      const id = newRequestId(ms)
      const around = partitionsFor(Math.max(0, ms - days * DAY_MS), ms + days * DAY_MS)
      expect(around.filter(({ from, to }) => from <= id && id < to)).toEqual([partitionOf(ms)])
      expect(partitionsOf([id])).toEqual([partitionOf(ms)])
    }),
  )
})

test('the partitions of a span are contiguous, named apart, and hold both its ends', () => {
  fc.assert(
    fc.property(time, fc.integer({ min: 0, max: 40 * DAY_MS }), (from, length) => {
      const span = partitionsFor(from, from + length)
      for (const [i, partition] of span.entries()) {
        expect(partition.from < partition.to).toBe(true)
        if (i > 0) expect(partition.from).toBe(span[i - 1]?.to ?? '')
      }
      expect(new Set(span.map(({ suffix }) => suffix)).size).toBe(span.length)
      expect(span[0]).toEqual(partitionOf(from))
      expect(span.at(-1)).toEqual(partitionOf(from + length))
    }),
  )
})

test('the bounds of a day are its first ids, whatever the rest of an id is', () => {
  const midnight = Date.UTC(2026, 0, 31)
  expect(partitionOf(midnight + 1)).toEqual({
    suffix: '2026_01_31',
    from: firstIdOf(midnight),
    to: firstIdOf(Date.UTC(2026, 1, 1)),
  })
  expect(partitionOf(midnight - 1).suffix).toBe('2026_01_30')
  expect(newRequestId(midnight) > firstIdOf(midnight)).toBe(true)
  expect(newRequestId(midnight - 1) < firstIdOf(midnight)).toBe(true)
})

test('ids of one day need its partition once', () => {
  const noon = Date.UTC(2026, 0, 31, 12)
  expect(partitionsOf([newRequestId(noon), newRequestId(noon + 1), newRequestId(noon - DAY_MS)])).toHaveLength(2)
})
