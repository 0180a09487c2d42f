import { expect, test } from 'bun:test'
import { OpenRequests } from './open-requests.ts'

const NOW = 1_000_000

test('a request counts until it has ended', () => {
  const open = new OpenRequests()
  open.add('a', NOW + 1_000)
  open.add('a', NOW + 1_000)
  expect(open.size).toBe(1)
  open.remove('a')
  open.remove('a')
  expect(open.size).toBe(0)
})

test('a request whose end was never told counts until some time after its deadline', () => {
  const open = new OpenRequests([['lost', NOW]])
  expect(open.sweep(NOW + 9_000, 1)).toEqual([])
  expect(open.sweep(NOW + 10_000, 1)).toEqual(['lost'])
  expect(open.size).toBe(0)
})

test('below the limit all are looked at once a second, at the limit always', () => {
  const open = new OpenRequests([['a', NOW]])
  open.sweep(NOW + 9_999, 2)
  expect(open.sweep(NOW + 10_000, 2)).toEqual([])
  expect(open.sweep(NOW + 10_000, 1)).toEqual(['a'])
})
