import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { type Choice, sample } from './sampler.ts'

const logits = fc
  .array(fc.float({ min: -20, max: 20, noNaN: true }), { minLength: 2, maxLength: 60 })
  .map((values) => Float32Array.from(values))
const choice = fc.record({
  temperature: fc.double({ min: 0.05, max: 3, noNaN: true }),
  topK: fc.nat(70),
  topP: fc.oneof(fc.constant(1), fc.constant(0), fc.double({ min: 0, max: 1, noNaN: true })),
})
const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })

/** The tokens that a choice may fall on, written as the definition has it. */
function allowed(values: Float32Array, { temperature, topK, topP }: Choice): Set<number> {
  const order = [...values.keys()].sort((a, b) => (values[b] ?? 0) - (values[a] ?? 0) || a - b)
  const kept = topK > 0 ? order.slice(0, topK) : order
  const peak = values[order[0] ?? 0] ?? 0
  const weights = kept.map((token) => Math.exp(((values[token] ?? 0) - peak) / temperature))
  const total = weights.reduce((a, b) => a + b, 0)
  let before = 0
  return new Set(
    kept.filter((_, rank) => {
      const inside = rank === 0 || topP >= 1 || before < topP * total * (1 + 1e-12)
      before += weights[rank] ?? 0
      return inside
    }),
  )
}

test('only tokens that top-k and top-p leave are ever chosen', () => {
  fc.assert(
    fc.property(logits, choice, random, (values, how, at) => {
      expect(allowed(values, how).has(sample(values, how, at) ?? -1)).toBe(true)
    }),
    { numRuns: 2000 },
  )
})

test('temperature 0, top-k 1 and top-p 0 all take the likeliest, the first of equals', () => {
  fc.assert(
    fc.property(logits, random, (values, at) => {
      const best = values.indexOf(Math.max(...values))
      expect(sample(values, { temperature: 0, topK: 0, topP: 1 }, at)).toBe(best)
      expect(sample(values, { temperature: 1, topK: 1, topP: 1 }, at)).toBe(best)
      expect(sample(values, { temperature: 1, topK: 0, topP: 0 }, at)).toBe(best)
    }),
  )
})

test('tokens are chosen as often as they are likely', () => {
  const probabilities = [0.1, 0.2, 0.3, 0.4]
  const values = Float32Array.from(probabilities, Math.log)
  const counts = [0, 0, 0, 0]
  for (let index = 0; index < 10_000; index++) {
    const token = sample(values, { temperature: 1, topK: 0, topP: 1 }, (index + 0.5) / 10_000) ?? -1
    counts[token] = (counts[token] ?? 0) + 1
  }
  for (const [token, count] of counts.entries()) {
    expect(count / 10_000).toBeCloseTo(probabilities[token] ?? 0, 3)
  }
})

test('a large vocabulary keeps its order', () => {
  const values = Float32Array.from({ length: 50_000 }, (_, token) => -((token * 7919) % 50_000))
  const seen = new Set<number | undefined>()
  for (let at = 0; at < 1; at += 0.01) seen.add(sample(values, { temperature: 100, topK: 3, topP: 1 }, at))
  expect([...seen].map((token) => ((token ?? 0) * 7919) % 50_000).sort()).toEqual([0, 1, 2])
})

test('logits without a largest give no token', () => {
  const how = { temperature: 1, topK: 0, topP: 1 }
  expect(sample(Float32Array.of(0, Number.NaN), how, 0)).toBeUndefined()
  expect(sample(Float32Array.of(-Infinity, -Infinity), how, 0)).toBeUndefined()
  expect(sample(Float32Array.of(0, Infinity), how, 0)).toBeUndefined()
})

test('a token that the model rules out is never chosen', () => {
  const how = { temperature: 1, topK: 0, topP: 1 }
  expect(sample(Float32Array.of(-Infinity, 0, -Infinity), how, 0)).toBe(1)
  expect(sample(Float32Array.of(-Infinity, 0, -Infinity), how, 1 - 2 ** -53)).toBe(1)
})
