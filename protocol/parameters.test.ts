import { expect, test } from 'bun:test'
import type { ParameterSpec } from './manifest.ts'
import { resolveParameters } from './parameters.ts'

const declared: Record<string, ParameterSpec> = {
  maxTokens: { type: 'integer', default: 64, minimum: 1, maximum: 512 },
  temperature: { type: 'number', default: 0.8, minimum: 0 },
  seed: { type: 'integer' },
  stop: { type: 'strings', maxItems: 2, maxLength: 5 },
  echo: { type: 'boolean', default: false },
}

test('defaults fill what was not given; what has none stays absent', () => {
  expect(resolveParameters(declared, { temperature: 0, stop: 'END' })).toEqual({
    maxTokens: 64,
    temperature: 0,
    stop: ['END'],
    echo: false,
  })
})

test.each([
  ['an unknown name', { maxToken: 3 }, 'parameters.maxToken: the model has no such parameter; it takes maxTokens'],
  ['a name that every object has', { toString: 1 }, 'parameters.toString: the model has no such parameter'],
  ['a fraction', { maxTokens: 1.5 }, 'expected a whole number from 1 to 512'],
  ['too many', { maxTokens: 513 }, 'expected a whole number from 1 to 512'],
  ['too few', { temperature: -1 }, 'expected a number of at least 0'],
  ['another type', { seed: 'x' }, 'expected a whole number'],
  ['too long a string', { stop: ['123456'] }, 'expected at most 5 characters'],
  ['too many strings', { stop: ['a', 'b', 'c'] }, 'expected at most 2 strings'],
  ['null', { echo: null }, 'expected true or false'],
])('%s is refused by name and rule', (_what, given, detail) => {
  expect(() => resolveParameters(declared, given)).toThrow(detail)
})

test('a value is never repeated to the caller', () => {
  expect(() => resolveParameters(declared, { seed: 'hunter2' })).toThrow(
    expect.objectContaining({ message: expect.not.stringContaining('hunter2') }),
  )
})
