import { expect, test } from 'bun:test'
import { Breather } from './breather.ts'

const resting = () => new Error('resting')

test('after a failure nobody asks until the rest is over; then an answer ends it', async () => {
  let now = 0
  let asked = 0
  const breather = new Breather(1_000, () => now)
  const ask = (answer: () => Promise<string>) =>
    breather.run(() => {
      asked += 1
      return answer()
    }, resting)
  expect(ask(() => Promise.reject(new Error('away')))).rejects.toThrow('away')
  await Promise.resolve()
  await Promise.resolve()
  now = 999
  expect(ask(async () => 'here')).rejects.toThrow('resting')
  expect(asked).toBe(1)
  now = 1_000
  expect(await ask(async () => 'here')).toBe('here')
  expect(await ask(async () => 'here')).toBe('here')
  expect(asked).toBe(3)
})
