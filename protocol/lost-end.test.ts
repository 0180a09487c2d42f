import { expect, test } from 'bun:test'
import * as v from 'valibot'
import { RequestEvent, TERMINAL } from './event.ts'
import { endedFacts } from './fact.ts'
import { isLostEnd, lostEnd } from './lost-end.ts'
import { viewOf } from './view.ts'

test('a lost end is an event that says how the request ended, and that its answer is lost', () => {
  for (const status of TERMINAL) {
    const end = lostEnd({ status, n: 7, at: 5 })
    expect(v.parse(RequestEvent, end)).toEqual(end)
    expect(end).toMatchObject({ type: status, n: 7, at: 5, problem: { kind: 'answer-lost' } })
    expect(isLostEnd(end)).toBe(true)
    expect(endedFacts('x', [end])).toMatchObject([{ status, n: 7, parts: 1, problem: { kind: 'answer-lost' } }])
  }
  expect(isLostEnd({ n: 7, at: 5, type: 'completed' })).toBe(false)
})

test('whoever reads the request is told that its answer is lost', () => {
  const sent = { requestID: 'r', model: 'm', request: { input: 1 }, sentAt: 0, status: 'completed' } as const
  expect(viewOf(sent, [lostEnd({ status: 'completed', n: 7, at: 5 })])).toMatchObject({
    status: 'completed',
    responses: [],
    lastEventID: 7,
    problem: { kind: 'answer-lost' },
  })
})
