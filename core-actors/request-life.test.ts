import { expect, test } from 'bun:test'
import { DISCONNECT_GRACE_MS } from '@oriel/protocol/api'
import { memoryKv } from './memory-kv.ts'
import type { End } from './request.ts'
import { RequestLife } from './request-life.ts'
import { openRequest } from './testing.ts'

const request = openRequest({ onDisconnect: 'cancel', deadlineAt: 600_000 })
const failed: End = { status: 'failed', n: 4, at: 5 }
const completed: End = { status: 'completed', n: 9, at: 9 }

/** A place where a request lives through resets of its object. */
class Place {
  now = 0
  alarm: number | undefined
  over = 0
  readonly #stored = new Map<string, unknown>()
  readonly #storage = {
    kv: memoryKv(this.#stored),
    setAlarm: async (at: number | Date) => {
      this.alarm = Number(at)
    },
    deleteAlarm: async () => {
      this.alarm = undefined
    },
    deleteAll: async () => this.#stored.clear(),
  }

  life(): RequestLife {
    const port = { storage: this.#storage, waitUntil: () => {}, now: () => this.now, lateMs: () => 1_000 }
    return new RequestLife(
      port,
      () => false,
      () => {
        this.over += 1
      },
    )
  }
}

test('what a request has become is there after a reset, with an alarm', () => {
  const place = new Place()
  place.life().open(request)
  expect(place.life().state).toEqual({ mode: 'open', request })
  expect(place.alarm).toBeGreaterThan(0)
  place.life().end(completed)
  expect(place.life().state).toEqual({ mode: 'ended', request, end: completed, recorded: false })
})

test('a request ends once, and not before it is open', () => {
  const place = new Place()
  const life = place.life()
  life.end(completed)
  expect(life.state.mode).toBe('new')
  life.open(request)
  life.end(failed)
  life.end(completed)
  expect(life.state).toMatchObject({ end: failed })
  expect(place.over).toBe(1)
})

test('a failure that was undone ends nothing, any later end does; a reset does not change that', () => {
  const place = new Place()
  place.life().reopen(request, failed)
  const life = place.life()
  expect(life.undone).toEqual(failed)
  life.end(failed)
  expect(life.state.mode).toBe('open')
  life.end({ ...failed, n: 6 })
  expect(life.state).toMatchObject({ mode: 'ended', end: { n: 6 } })
  expect(life.undone).toBeUndefined()
  expect(place.life().state.mode).toBe('ended')
})

test('an end that is not undone after all is the end again', () => {
  const place = new Place()
  const life = place.life()
  life.reopen(request, failed)
  life.undoNothing()
  life.end(failed)
  expect(place.life().state).toEqual({ mode: 'ended', request, end: failed, recorded: false })
})

test('the grace of a client that left begins when it leaves, or with the first reset while it was there', () => {
  const place = new Place()
  const life = place.life()
  life.open(request)
  life.clientCame()
  place.now = 1_000
  life.clientLeft()
  expect(life.state).toMatchObject({ leftAt: 1_000 })
  expect(place.alarm).toBe(1_000 + DISCONNECT_GRACE_MS)
  life.clientCame()
  expect(life.state).toEqual({ mode: 'open', request })
  place.now = 2_000
  expect(place.life().state).toMatchObject({ leftAt: 2_000 })
  place.now = 3_000
  expect(place.life().state).toMatchObject({ leftAt: 2_000 })
})

test('clients come and go without touching the end that is undone; one that left before is not missed', () => {
  const place = new Place()
  const life = place.life()
  life.open(request)
  life.clientLeft()
  life.end(failed)
  life.reopen(request, failed)
  expect(life.state).toEqual({ mode: 'open', request, undone: failed })
  life.clientCame()
  life.clientLeft()
  expect(life.undone).toEqual(failed)
  expect(place.life().state).toEqual({ mode: 'open', request, undone: failed, leftAt: 0 })
})

test('what is forgotten leaves nothing', async () => {
  const place = new Place()
  const life = place.life()
  life.open(request)
  await life.forget()
  expect(life.state).toEqual({ mode: 'new' })
  expect(place.life().state).toEqual({ mode: 'new' })
  expect(place.alarm).toBeUndefined()
})

test('that the record has an end is known after a reset, and not of the end that follows when it is queued again', () => {
  const place = new Place()
  const life = place.life()
  life.open(request)
  life.end(failed)
  life.recorded(completed)
  expect(life.state).toMatchObject({ recorded: false })
  life.recorded(failed)
  expect(life.state).toMatchObject({ recorded: true })
  const again = place.life()
  expect(again.state).toMatchObject({ end: failed, recorded: true })
  again.reopen(request, failed)
  again.end(completed)
  expect(place.life().state).toMatchObject({ end: completed, recorded: false })
})
