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
  const open = new OpenRequests()
  open.add('lost', NOW)
  expect(open.sweep(NOW + 9_000, 1)).toEqual([])
  expect(open.sweep(NOW + 10_000, 1)).toEqual(['lost'])
  expect(open.size).toBe(0)
})

test('below the limit all are looked at once a second, at the limit always', () => {
  const open = new OpenRequests()
  open.add('a', NOW)
  open.sweep(NOW + 9_999, 2)
  expect(open.sweep(NOW + 10_000, 2)).toEqual([])
  expect(open.sweep(NOW + 10_000, 1)).toEqual(['a'])
})

test('those of a key are counted apart, however they end', () => {
  const open = new OpenRequests()
  open.add('a', NOW, 'one')
  open.add('a', NOW, 'one')
  open.add('b', NOW + 60_000, 'one')
  open.add('c', NOW, 'other')
  open.add('d', NOW)
  expect([open.size, open.sizeOf('one'), open.sizeOf('other'), open.sizeOf('none')]).toEqual([4, 2, 1, 0])
  open.remove('c')
  open.remove('c')
  open.sweep(NOW + 10_000, 1)
  expect([open.size, open.sizeOf('one'), open.sizeOf('other')]).toEqual([1, 1, 0])
})
