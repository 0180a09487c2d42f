import { expect, test } from 'bun:test'
import { ProblemError } from '@oriel/protocol/problem'
import { Breather } from './breather.ts'

const away = () => new ProblemError({ kind: 'unavailable', detail: 'away' })
const resting = () => new Error('resting')

test('after an outage nobody asks until the rest is over; then an answer ends it', async () => {
  let now = 0
  let asked = 0
  const breather = new Breather(1_000, () => now)
  const ask = (answer: () => Promise<string>) =>
    breather.run(() => {
      asked += 1
      return answer()
    }, resting)
  await expect(ask(() => Promise.reject(away()))).rejects.toThrow('away')
  now = 999
  await expect(ask(async () => 'here')).rejects.toThrow('resting')
  expect(asked).toBe(1)
  now = 1_000
  expect(await ask(async () => 'here')).toBe('here')
  expect(await ask(async () => 'here')).toBe('here')
  expect(asked).toBe(3)
})

test('when the rest is over one asks, and the others rest until it has an answer, or for as long again', async () => {
  let now = 0
  const breather = new Breather(1_000, () => now)
  await expect(breather.run(() => Promise.reject(away()), resting)).rejects.toThrow('away')
  now = 1_000
  const slow = Promise.withResolvers<string>()
  const first = breather.run(() => slow.promise, resting)
  await expect(breather.run(async () => 'here', resting)).rejects.toThrow('resting')
  now = 2_000
  expect(await breather.run(async () => 'here', resting)).toBe('here')
  slow.resolve('late')
  expect(await first).toBe('late')
})

test('a bug is no outage: nobody rests from it', async () => {
  const breather = new Breather(1_000, () => 0)
  await expect(breather.run(() => Promise.reject(new Error('a bug')), resting)).rejects.toThrow('a bug')
  expect(await breather.run(async () => 'here', resting)).toBe('here')
})
