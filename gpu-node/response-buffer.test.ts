import { expect, test } from 'bun:test'
import { ResponseBuffer } from './response-buffer.ts'

test('texts become one, with their tokens', () => {
  const buffer = new ResponseBuffer()
  buffer.add({ response: 'a', tokens: [1] })
  buffer.add({ response: 'b' })
  buffer.add({ response: 'c', tokens: [2, 3] })
  expect(buffer.take()).toEqual({ type: 'responses', response: 'abc', tokens: [1, 2, 3] })
  expect(buffer.take()).toBeUndefined()
})

test('texts without tokens become one without tokens', () => {
  const buffer = new ResponseBuffer()
  buffer.add({ response: 'a' })
  buffer.add({ response: 'b' })
  expect(buffer.take()).toEqual({ type: 'responses', response: 'ab' })
})

test('an event stays well under the broker’s largest message, however much has gathered', () => {
  const buffer = new ResponseBuffer()
  for (let index = 0; index < 100; index++) buffer.add({ response: 'x'.repeat(10_000) })
  const taken: string[] = []
  while (buffer.ready) taken.push(String(buffer.take()?.response))
  expect(taken.join('')).toHaveLength(1_000_000)
  expect(Math.max(...taken.map(({ length }) => length))).toBeLessThanOrEqual(64 * 1024)
})

test('an answer behind tokens whose text is held back does not wait for it', () => {
  const buffer = new ResponseBuffer()
  buffer.add({ response: '', tokens: [1] })
  expect(buffer.ready).toBe(false)
  buffer.add({ response: [1, 2] })
  expect(buffer.take()).toEqual({ type: 'responses', response: '', tokens: [1] })
  expect(buffer.take()).toEqual({ type: 'responses', response: [1, 2] })
})
