import { expect, test } from 'bun:test'
import { Feed } from './feed.ts'

const entry = (n: number, bytes = 10) => ({
  bytes,
  sequence: n * 10,
  event: { n, at: 0, type: 'responses', response: `w${n}` } as const,
})
const numbers = (entries: ReturnType<Feed['after']>) =>
  entries === 'behind' ? entries : entries.map(({ event }) => event.n)

test('every reader gets what follows its own place', () => {
  const feed = new Feed()
  feed.push([1, 2, 3].map((n) => entry(n)))
  expect(numbers(feed.after(0))).toEqual([1, 2, 3])
  expect(numbers(feed.after(2))).toEqual([3])
  expect(numbers(feed.after(3))).toEqual([])
  expect(feed.sequence).toBe(30)
})

test('a reader that the window has passed must read the log', () => {
  const feed = new Feed()
  feed.push([1, 2, 3].map((n) => entry(n, 200 * 1024)))
  expect(feed.after(0)).toBe('behind')
  expect(numbers(feed.after(2))).toEqual([3])
})

test('an event that is here already is passed over, one that skips a number is refused', () => {
  const feed = new Feed()
  feed.push([entry(1)])
  feed.push([entry(1)])
  expect(numbers(feed.after(0))).toEqual([1])
  expect(() => feed.push([entry(3)])).toThrow('cannot follow')
})

test('readers are told of every event until they leave', () => {
  const feed = new Feed()
  const told: number[] = []
  const leave = feed.subscribe(() => told.push(feed.state.n))
  feed.push([entry(1)])
  feed.push([entry(2)])
  leave()
  feed.push([entry(3)])
  expect(told).toEqual([1, 2])
})
