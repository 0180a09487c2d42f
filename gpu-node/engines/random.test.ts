import { expect, test } from 'bun:test'
import { philox, uniform } from './random.ts'

// Known answers: `kat_vectors` of Random123 1.14, philox 4x32 10.
test.each([
  [[0, 0, 0, 0], [0, 0], '6627e8d5 e169c58d bc57ac4c 9b00dbd8'],
  [[~0, ~0, ~0, ~0], [~0, ~0], '408f276d 41c83b0e a20bc7c6 6d5451fd'],
  [[0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344], [0xa4093822, 0x299f31d0], 'd16cfe09 94fdcceb 5001e420 24126ea1'],
])('it is Philox4x32-10', (counter, key, expected) => {
  const [c0 = 0, c1 = 0, c2 = 0, c3 = 0] = counter.map((word) => word >>> 0)
  const [k0 = 0, k1 = 0] = key.map((word) => word >>> 0)
  const words = philox([c0, c1, c2, c3], [k0, k1]).map((word) => word.toString(16).padStart(8, '0'))
  expect(words.join(' ')).toBe(expected)
})

test('numbers are spread evenly from 0 up to 1, and differ with the seed’s every bit', () => {
  const drawn = Array.from({ length: 4000 }, (_, position) => uniform(7, position))
  expect(Math.min(...drawn)).toBeGreaterThanOrEqual(0)
  expect(Math.max(...drawn)).toBeLessThan(1)
  for (let tenth = 0; tenth < 10; tenth++) {
    const share = drawn.filter((value) => Math.floor(value * 10) === tenth).length
    expect(share).toBeGreaterThan(320)
    expect(share).toBeLessThan(480)
  }
  expect(uniform(1, 0)).not.toBe(uniform(1 + 2 ** 32, 0))
  expect(uniform(2 ** 53 - 1, 5)).toBe(uniform(2 ** 53 - 1, 5))
})
