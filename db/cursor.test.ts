import { expect, test } from 'bun:test'
import { newRequestId } from '@oriel/protocol/ids'
import { ProblemError } from '@oriel/protocol/problem'
import fc from 'fast-check'
import { decodeCursor, encodeCursor } from './cursor.ts'

const id = newRequestId(1_700_000_000_000)
const kindOf = (work: () => unknown) => {
  try {
    work()
  } catch (error) {
    if (error instanceof ProblemError) return error.problem.kind
    throw error
  }
}

test('a cursor comes back as the id that it was made of', () => {
  fc.assert(
    fc.property(fc.string(), fc.uuid(), (user, any) => {
      const cursor = encodeCursor(user, any)
      expect(encodeURIComponent(cursor)).toBe(cursor)
      expect(decodeCursor(user, cursor)).toBe(any)
    }),
  )
})

test('anything else is refused as invalid-cursor', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.base64String(), fc.uuid()), (text) => {
      expect(kindOf(() => decodeCursor('ada', text))).toBe('invalid-cursor')
    }),
  )
})

test('a cursor that was cut, lengthened or mistyped is refused', () => {
  const cursor = encodeCursor('ada', id)
  expect(kindOf(() => decodeCursor('ada', cursor.slice(0, -1)))).toBe('invalid-cursor')
  expect(kindOf(() => decodeCursor('ada', `${cursor}A`))).toBe('invalid-cursor')
  expect(kindOf(() => decodeCursor('ada', `${cursor}=`))).toBe('invalid-cursor')
  for (let at = 0; at < cursor.length; at++) {
    const other = cursor[at] === 'x' ? 'y' : 'x'
    const mistyped = cursor.slice(0, at) + other + cursor.slice(at + 1)
    expect(kindOf(() => decodeCursor('ada', mistyped))).toBe('invalid-cursor')
  }
})

test("another user's cursor is refused", () => {
  expect(kindOf(() => decodeCursor('eve', encodeCursor('ada', id)))).toBe('invalid-cursor')
})
