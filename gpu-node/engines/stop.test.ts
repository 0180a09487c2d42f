import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { StopMatcher } from './stop.ts'

const run = (stops: readonly string[], pieces: readonly string[]) => {
  const matcher = new StopMatcher(stops)
  let text = ''
  for (const piece of pieces) {
    const step = matcher.push(piece)
    text += step.text
    if (step.stopped) return { text, stopped: true }
  }
  return { text: text + matcher.flush(), stopped: false }
}

test('the text ends before the stop string, also when it comes in pieces', () => {
  expect(run(['END'], ['one E', 'N', 'D two'])).toEqual({ text: 'one ', stopped: true })
})

test('a beginning of a stop string is held back, and shown when it was none', () => {
  const matcher = new StopMatcher(['END'])
  expect(matcher.push('one EN')).toEqual({ text: 'one ', stopped: false })
  expect(matcher.push('OUGH')).toEqual({ text: 'ENOUGH', stopped: false })
})

test('without stop strings, or with empty ones, nothing is held back', () => {
  expect(new StopMatcher(['']).push('abc')).toEqual({ text: 'abc', stopped: false })
})

const letters = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 30 })
const stops = fc.array(fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 4 }), { maxLength: 3 })

test('any way to cut the text gives what one letter at a time gives: the text before the first complete stop', () => {
  fc.assert(
    fc.property(letters, stops, fc.array(fc.nat(30)), (text, given, cuts) => {
      const at = [0, ...cuts.filter((cut) => cut < text.length).sort((a, b) => a - b), text.length]
      const pieces = at.slice(1).map((end, index) => text.slice(at[index], end))
      const ends = [...text].map((_, index) => index + 1)
      const end = ends.find((end) => given.some((stop) => stop !== '' && text.slice(0, end).endsWith(stop)))
      const starts = given.filter((stop) => stop && end && text.slice(0, end).endsWith(stop)).map((stop) => stop.length)
      const expected = end ? text.slice(0, end - Math.max(...starts)) : text
      expect(run(given, pieces)).toEqual({ text: expected, stopped: end !== undefined })
      expect(run(given, [...text])).toEqual({ text: expected, stopped: end !== undefined })
    }),
    { numRuns: 2000 },
  )
})
