/**
 * A number from 0 up to 1 for a place in a sequence, without the places before it: a generation that is taken over
 * in the middle draws the very numbers that it would have drawn. Philox4x32-10 of Salmon et al., "Parallel Random
 * Numbers: As Easy as 1, 2, 3" (SC 2011), keyed by the seed and counting by position.
 *
 * @param seed a whole number up to 2 ** 53
 * @param position 0, 1, 2 …
 */
export function uniform(seed: number, position: number): number {
  const [a, b] = philox([low(position), high(position), 0, 0], [low(seed), high(seed)])
  return ((a >>> 5) * 2 ** 26 + (b >>> 6)) / 2 ** 53
}

type Counter = readonly [number, number, number, number]
type Key = readonly [number, number]

export function philox([c0, c1, c2, c3]: Counter, [k0, k1]: Key): Counter {
  let counter: Counter = [c0, c1, c2, c3]
  let key: Key = [k0, k1]
  for (let round = 0; round < 10; round++) {
    const p0 = BigInt(counter[0]) * 0xd2511f53n
    const p1 = BigInt(counter[2]) * 0xcd9e8d57n
    counter = [(top(p1) ^ counter[1] ^ key[0]) >>> 0, bottom(p1), (top(p0) ^ counter[3] ^ key[1]) >>> 0, bottom(p0)]
    key = [(key[0] + 0x9e3779b9) >>> 0, (key[1] + 0xbb67ae85) >>> 0]
  }
  return counter
}

const low = (value: number) => value >>> 0
const high = (value: number) => Math.floor(value / 2 ** 32) >>> 0
const top = (product: bigint) => Number(product >> 32n)
const bottom = (product: bigint) => Number(product & 0xffffffffn)
