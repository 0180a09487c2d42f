import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { Volumes } from './volumes.ts'

const HALF_LIFE = 60_000

test('a model that is asked evenly has the rate at which it is', () => {
  const volumes = new Volumes(HALF_LIFE)
  for (let at = 0; at <= 20 * HALF_LIFE; at += 1_000) volumes.add('a', 5, at)
  expect(volumes.of('a', 20 * HALF_LIFE)).toBeCloseTo(5, 0)
})

test('after a half-life without a request half of it is left', () => {
  const volumes = new Volumes(HALF_LIFE)
  volumes.add('a', 100, 0)
  expect(volumes.of('a', HALF_LIFE)).toBeCloseTo(volumes.of('a', 0) / 2, 9)
})

test('a model that was never asked, or has been forgotten, has none', () => {
  const volumes = new Volumes(HALF_LIFE)
  volumes.add('a', 1, 0)
  expect(volumes.of('b', 0)).toBe(0)
  expect(volumes.stored(100 * HALF_LIFE)).toEqual([])
})

test('whoever takes over with what is stored counts the same', () => {
  const asked = fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c'), fc.nat(50), fc.nat(10 * HALF_LIFE)))
  fc.assert(
    fc.property(asked, (asked) => {
      const inOrder = asked.toSorted((a, b) => a[2] - b[2])
      const volumes = new Volumes(HALF_LIFE)
      for (const [model, requests, at] of inOrder) volumes.add(model, requests, at)
      const now = 10 * HALF_LIFE
      const next = new Volumes(HALF_LIFE, volumes.stored(now))
      for (const model of ['a', 'b', 'c']) expect(next.of(model, now)).toBeCloseTo(volumes.of(model, now), 3)
    }),
  )
})
