import { expect, test } from 'bun:test'
import * as v from 'valibot'
import { RequestView } from './api.ts'
import type { RequestEvent } from './event.ts'
import { viewOf } from './view.ts'

const sent = {
  requestID: 'mine',
  model: 'storyteller',
  request: { input: 'Once' },
  sentAt: 0,
  status: 'started',
} as const
const events: RequestEvent[] = [
  { n: 1, at: 5, type: 'started', node: 'node-1', attempt: 1 },
  { n: 2, at: 6, type: 'responses', response: ' upon', tokens: [4] },
  { n: 3, at: 7, type: 'progress', elapsedMs: 2 },
]

test('a view holds the responses with their times, and tells neither tokens nor nodes', () => {
  const view = viewOf(sent, events)
  expect(v.parse(RequestView, view)).toEqual(view)
  expect(view).toEqual({
    requestID: 'mine',
    modelID: 'storyteller',
    request: { input: 'Once' },
    responses: [{ response: ' upon', sentAt: '1970-01-01T00:00:00.006Z' }],
    status: 'started',
    sentAt: '1970-01-01T00:00:00.000Z',
    lastEventID: 3,
  })
})

test('a view of a request that nothing has happened to is empty, not absent', () => {
  expect(viewOf({ ...sent, status: 'accepted' }, [])).toMatchObject({
    responses: [],
    lastEventID: 0,
    status: 'accepted',
  })
})

test('a view of a failed request says why', () => {
  const problem = { kind: 'inference-failed', detail: 'The model threw.' } as const
  const failed: RequestEvent = { n: 4, at: 8, type: 'failed', problem, retriable: true }
  expect(viewOf({ ...sent, status: 'failed' }, [...events, failed]).problem).toEqual(problem)
})
