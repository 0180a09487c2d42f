import { expect, test } from 'bun:test'
import { DISCONNECT_GRACE_MS } from '@oriel/protocol/api'
import { LOG_MAX_AGE_MS } from '@oriel/protocol/streams'
import type { RequestState } from './request.ts'
import { dutyAt, nextAlarm } from './request.ts'
import { openRequest } from './testing.ts'

const request = openRequest({ onDisconnect: 'cancel' })
const open: RequestState = { mode: 'open', request }
const left: RequestState = { mode: 'open', request, leftAt: 1_000 }
const ended: RequestState = { mode: 'ended', request, end: { status: 'completed', n: 3, at: 5_000 } }

test('a new request needs no alarm', () => {
  expect(nextAlarm({ mode: 'new' }, 0)).toBeUndefined()
  expect(dutyAt({ mode: 'new' }, 0)).toBe('nothing')
})

test('an open request is looked after until its deadline, and then expires', () => {
  expect(dutyAt(open, 15_000)).toBe('supervise')
  expect(nextAlarm(open, 50_000)).toBe(60_000)
  expect(dutyAt(open, 60_000)).toBe('expire')
})

test('a deadline that could not be acted on is tried again, not at once for ever', () => {
  expect(nextAlarm(open, 70_000)).toBe(71_000)
})

test('a request whose client left is cancelled when the grace is over', () => {
  expect(nextAlarm(left, 1_000)).toBe(1_000 + DISCONNECT_GRACE_MS)
  expect(dutyAt(left, 1_000 + DISCONNECT_GRACE_MS)).toBe('cancel')
  expect(dutyAt(left, 2_000)).toBe('supervise')
})

test('an ended request is kept for as long as its log, and asked for again if the record is late', () => {
  const forgetAt = 5_000 + LOG_MAX_AGE_MS
  expect(dutyAt(ended, forgetAt - 1)).toBe('nothing')
  expect(dutyAt(ended, forgetAt)).toBe('forget')
  expect(nextAlarm(ended, forgetAt)).toBeGreaterThan(forgetAt)
})

test('a record that may not know of a request is told soon, also when the request has ended', () => {
  expect(nextAlarm(ended, 6_000, true)).toBe(7_000)
})
