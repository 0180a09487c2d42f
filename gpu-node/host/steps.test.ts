import { expect, test } from 'bun:test'
import { Steps } from './steps.ts'

test('steps are done one at a time, in order, and it is known whose each one is', async () => {
  const marks: number[] = []
  let running = 0
  const steps = new Steps((work) => marks.push(work))
  const step = (work: number) =>
    steps.take(work, async () => {
      expect(++running).toBe(1)
      await new Promise((resolve) => setImmediate(resolve))
      running--
      return work
    })
  expect(await Promise.all([1, 2, 1, 3].map(step))).toEqual([1, 2, 1, 3])
  expect(marks.filter((mark) => mark > 0)).toEqual([1, 2, 1, 3])
  expect(marks.at(-1)).toBe(0)
})

test('a step that throws fails alone', async () => {
  const steps = new Steps(() => {})
  const bad = steps.take(1, () => Promise.reject(new Error('bad')))
  const good = steps.take(2, () => 'good')
  expect(await bad.catch((error) => error.message)).toBe('bad')
  expect(await good).toBe('good')
})
