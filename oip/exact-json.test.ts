import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { mayNeedExactness, parseExactJson, parseJson } from './exact-json.ts'

test('an integer of 64 bits keeps them, and what is no integer is left alone', () => {
  const text = '[9223372036854775807, -9223372036854775808, 7, 1e300, 0.1, "9223372036854775807"]'
  expect(parseExactJson(text)).toEqual([2n ** 63n - 1n, -(2n ** 63n), 7, 1e300, 0.1, '9223372036854775807'])
})

test('an integer that a double cannot hold is never missed', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n }), (value) => {
      const text = `[${value}]`
      const isSafe = Number.isSafeInteger(Number(value)) && BigInt(Number(value)) === value
      expect(mayNeedExactness(text) || isSafe).toBe(true)
      expect(parseExactJson(text)).toEqual([isSafe ? Number(value) : value])
    }),
  )
})

test('bare words are quoted, and texts are left as they are', () => {
  expect(parseJson('{"NaN": [NaN, -Infinity, "NaN", "\\"NaN", "\\\\", Infinity]}')).toEqual({
    NaN: ['NaN', '-Infinity', 'NaN', '"NaN', '\\', 'Infinity'],
  })
})

test('any JSON is parsed as the runtime would', () => {
  fc.assert(
    fc.property(fc.json({ noUnicodeString: false }), (text) => {
      expect(parseJson(text)).toEqual(JSON.parse(text))
      expect(parseJson(`[NaN,${text}]`)).toEqual(['NaN', JSON.parse(text)])
    }),
  )
})

test.each(['', '{', '[1,]', `"${'\\"'.repeat(200_000)}`, '['.repeat(200_000), '"\\', 'NaN"', 'undefined'])(
  'what is no JSON is refused: %#',
  (text) => {
    expect(() => parseJson(text)).toThrow('not valid JSON')
    expect(() => parseExactJson(text)).toThrow('not valid JSON')
  },
)
