import { expect, test } from 'bun:test'
import { seedOf } from './seed.ts'

test('the caller’s seed is the seed, 0 too', () => {
  expect(seedOf('a', { seed: 0 })).toBe(0)
  expect(seedOf('a', { seed: 7 })).toBe(7)
})

test('without one, the seed is FNV-1a of the id: its published test vectors', () => {
  expect(seedOf('', {})).toBe(0x811c9dc5)
  expect(seedOf('a', {})).toBe(0xe40c292c)
  expect(seedOf('foobar', {})).toBe(0xbf9cf968)
})
