import { expect, test } from 'bun:test'
import type { RequestEvent } from '@oriel/protocol/event'
import fc from 'fast-check'
import { newsOf } from './waiting.ts'

const prospects = { served: true, depth: 5, sentAt: 1_000, now: 9_000 }
const without = { ...prospects, served: false }
const problem = { kind: 'host-crashed', detail: '' } as const
const queued: RequestEvent = { n: 1, at: 0, type: 'queued', position: 3 }
const forModel: RequestEvent = { n: 2, at: 0, type: 'progress', elapsedMs: 1, waitingFor: 'model' }
const responses: RequestEvent = { n: 3, at: 0, type: 'responses', response: '' }
const retrying: RequestEvent = { n: 3, at: 8_000, type: 'retrying', attempt: 2, inMs: 2_000, problem }

test('a place only gets better', () => {
  expect(newsOf(queued, prospects)).toEqual({ type: 'queued', position: 3 })
  expect(newsOf(queued, { ...prospects, depth: 2 })).toEqual({ type: 'queued', position: 1 })
  expect(newsOf(queued, { ...prospects, depth: 0 })).toEqual({ type: 'queued', position: 0 })
  fc.assert(
    fc.property(fc.nat(), fc.nat(), (position, depth) => {
      const news = newsOf({ ...queued, position }, { ...prospects, depth })
      return news?.type === 'queued' && news.position <= position && news.position >= 0
    }),
  )
})

test('while no node has the model, that is what it waits for; then it is in the queue again', () => {
  for (const last of [queued, forModel]) {
    expect(newsOf(last, without)).toEqual({ type: 'progress', elapsedMs: 8_000, waitingFor: 'model' })
  }
  expect(newsOf(forModel, prospects)).toEqual({ type: 'queued', position: 4 })
})

test('an attempt that a dead node left says so only while nobody can take it up', () => {
  expect(newsOf(responses, without)).toMatchObject({ waitingFor: 'model' })
  expect(newsOf(responses, prospects)).toBeUndefined()
})

test('a retry says nothing until it is due', () => {
  expect(newsOf(retrying, without)).toBeUndefined()
  expect(newsOf(retrying, { ...without, now: 10_000 })).toMatchObject({ waitingFor: 'model' })
  expect(newsOf(retrying, prospects)).toBeUndefined()
})

test('an ended request is told nothing', () => {
  expect(newsOf({ n: 2, at: 0, type: 'cancelled' }, without)).toBeUndefined()
})
