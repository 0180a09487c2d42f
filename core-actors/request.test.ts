import { expect, test } from 'bun:test'
import { DISCONNECT_GRACE_MS, MAX_TIMEOUT_MS } from '@oriel/protocol/api'
import { LOG_MAX_AGE_MS } from '@oriel/protocol/streams'
import type { RequestState } from './request.ts'
import { dutyAt, LATE_MS, lookAt, nextAlarm } from './request.ts'
import { openRequest } from './testing.ts'

const request = openRequest({ onDisconnect: 'cancel' })
const open: RequestState = { mode: 'open', request }
const left: RequestState = { mode: 'open', request, leftAt: 1_000 }
const end = { status: 'completed', n: 3, at: 5_000 } as const
const ended: RequestState = { mode: 'ended', request, end, recorded: false }
const recorded: RequestState = { ...ended, recorded: true }

test('a new request needs no alarm', () => {
  expect(nextAlarm({ mode: 'new' }, 0)).toBeUndefined()
  expect(dutyAt({ mode: 'new' }, 0)).toBe('nothing')
})

test('an open request is looked after until its deadline, and then expires', () => {
  expect(dutyAt(open, 15_000)).toBe('supervise')
  expect(nextAlarm(open, 50_000)).toBe(60_000)
  expect(dutyAt(open, 60_000)).toBe('expire')
})

test('an open request that the broker did not confirm is looked after soon', () => {
  expect(nextAlarm(open, 0)).toBe(15_000)
  expect(nextAlarm(open, 0, { unsure: true })).toBe(3_000)
  expect(nextAlarm(open, 58_000, { unsure: true })).toBe(60_000)
})

test('a deadline that could not be acted on is tried again, not at once for ever', () => {
  expect(nextAlarm(open, 70_000)).toBe(71_000)
})

test('a request whose client left is cancelled when the grace is over', () => {
  expect(nextAlarm(left, 1_000)).toBe(1_000 + DISCONNECT_GRACE_MS)
  expect(dutyAt(left, 1_000 + DISCONNECT_GRACE_MS)).toBe('cancel')
  expect(dutyAt(left, 2_000)).toBe('supervise')
})

test('the record is looked at while the log of an ended request is whole, and again until it has it', () => {
  expect(nextAlarm(ended, 5_000)).toBe(5_000 + LATE_MS)
  expect(dutyAt(ended, 5_000 + LATE_MS - 1)).toBe('nothing')
  // A log may begin as long before its end as a request may take.
  expect(5_000 + LATE_MS + MAX_TIMEOUT_MS).toBeLessThan(LOG_MAX_AGE_MS)
  for (const now of [5_000 + LATE_MS, 5_000 + 100 * LATE_MS]) {
    expect(dutyAt(ended, now)).toBe('look')
    expect(nextAlarm(ended, now)).toBe(now + LATE_MS)
  }
})

test('what the record lacks is given up when nobody has the log for so long any more', () => {
  expect(lookAt(end, 5_000 + LATE_MS)).toBe('first')
  expect(lookAt(end, 5_000 + 2 * LATE_MS)).toBe('again')
  expect(lookAt(end, 5_000 + LOG_MAX_AGE_MS - 1)).toBe('again')
  expect(lookAt(end, 5_000 + LOG_MAX_AGE_MS)).toBe('last')
})

test('a request that the record has is kept for as long as its log, and forgotten', () => {
  const forgetAt = 5_000 + LOG_MAX_AGE_MS
  expect(nextAlarm(recorded, 6_000)).toBe(forgetAt)
  expect(dutyAt(recorded, forgetAt - 1)).toBe('nothing')
  expect(dutyAt(recorded, forgetAt)).toBe('forget')
  expect(nextAlarm(recorded, forgetAt)).toBe(forgetAt + 1_000)
})

test('a record that may not know of a request is told soon, also when the request has ended', () => {
  expect(nextAlarm(ended, 6_000, { unsure: true })).toBe(7_000)
})
