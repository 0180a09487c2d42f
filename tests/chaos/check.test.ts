import { describe, expect, test } from 'bun:test'
import type { RequestView } from '@oriel/protocol/api'
import fc from 'fast-check'
import { check } from './check.ts'
import { TIMEOUT_MS } from './load-plan.ts'
import {
  accepted,
  connection,
  crashed,
  event,
  iso,
  lost,
  type Made,
  nowhere,
  observed,
  refused,
  START,
  STORY,
  struck,
  WHOLE,
} from './made-observation.ts'
import type { Rule } from './violation.ts'

const rulesOf = (made: Made): Rule[] => [...new Set(check(observed(made)).map(({ rule }) => rule))].sort()

describe('nothing is held against', () => {
  test.each<[string, Made]>([
    ['a whole story in one piece', {}],
    [
      'a story over several connections',
      { connections: [connection(0, WHOLE.slice(0, 2)), connection(2, WHOLE.slice(2))] },
    ],
    ['a reader that never came back', { connections: [connection(0, WHOLE.slice(0, 2))] }],
    [
      'a reader that was told after the end that there is no more',
      { connections: [connection(0, WHOLE), connection(6, [], 204)] },
    ],
    [
      'scores that differ in the last digit of a float32',
      {
        answers: [{ label: 'a', scores: { a: 0.9789, b: 0.09217514097690582 } }],
        log: [
          event(1, 'responses', { response: { label: 'a', scores: { a: 0.9789, b: 0.09217512607574463 } } }),
          event(2, 'completed'),
        ],
      },
    ],
    ['the same text in other pieces', { answers: ['Once upon', ' a time'] }],
    [
      'a refusal that left nothing',
      { request: { submits: [refused(503)], afterwards: nowhere, connections: [] }, history: () => [] },
    ],
    ['a submit that was lost and repeated', { request: { submits: [lost, refused(503), accepted(iso(0))] } }],
    ['a failure that a fault explains', { log: [...WHOLE.slice(0, 2), event(3, 'failed', crashed)], faults: struck }],
    [
      'a deadline that passed',
      { log: [event(1, 'queued'), { ...event(2, 'expired'), data: { sentAt: iso(TIMEOUT_MS) } }] },
    ],
  ])('%s', (_, made) => {
    expect(check(observed(made))).toEqual([])
  })

  test('any way of cutting a stream into connections', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(WHOLE.length)), (places) => {
        const cuts = [0, ...places.sort((a, b) => a - b), WHOLE.length]
        const connections = cuts.slice(1).map((to, index) => connection(cuts[index] ?? 0, WHOLE.slice(cuts[index], to)))
        expect(check(observed({ connections }))).toEqual([])
      }),
    )
  })
})

describe('found', () => {
  const failed = (data: object) => [...WHOLE.slice(0, 2), event(3, 'failed', data)]
  test.each<[Rule, string, Made]>([
    [
      'unanswered',
      'a submit that was never answered',
      { request: { submits: [lost], afterwards: nowhere, connections: [] }, history: () => [] },
    ],
    [
      'unanswered',
      'a repeated submit that is called a conflict',
      { request: { submits: [lost, refused(409)], afterwards: nowhere, connections: [] }, history: () => [] },
    ],
    [
      'not-the-same',
      'two acceptances at different times',
      { request: { submits: [accepted(iso(0)), accepted(iso(5))] } },
    ],
    [
      'internal-error',
      'a 500',
      { request: { submits: [refused(500)], afterwards: nowhere, connections: [] }, history: () => [] },
    ],
    ['accepted-missing', 'an accepted request that is 404', { request: { afterwards: nowhere, connections: [] } }],
    [
      'refused-exists',
      'a refused request that can be read',
      { request: { submits: [refused(503)], connections: [] }, history: () => [] },
    ],
    [
      'refused-exists',
      'a refused request in the history',
      { request: { submits: [refused(503)], afterwards: nowhere, connections: [] } },
    ],
    [
      'gap',
      'an event that was left out between two connections',
      { connections: [connection(0, WHOLE.slice(0, 2)), connection(2, WHOLE.slice(3))] },
    ],
    ['gap', 'a hole in the log', { log: WHOLE.filter(({ id }) => id !== 1), connections: [] }],
    [
      'repeat',
      'an event that came again after a reconnect',
      { connections: [connection(0, WHOLE.slice(0, 3)), connection(3, WHOLE.slice(2))] },
    ],
    [
      'after-the-end',
      'an event after the terminal one',
      { connections: [connection(0, [...WHOLE, event(7, 'progress')])] },
    ],
    ['after-the-end', 'a log that goes on', { log: [...WHOLE, event(7, 'progress')], connections: [] }],
    ['no-end', 'a log without a terminal event', { log: WHOLE.slice(0, 5), connections: [] }],
    ['two-ends', 'a log with two terminal events', { log: [...WHOLE, event(7, 'failed', crashed)], connections: [] }],
    [
      'turned-away',
      'a stream that was answered 400',
      { connections: [connection(0, WHOLE.slice(0, 2)), connection(2, [], 400)] },
    ],
    [
      'turned-away',
      'a poll that was answered 404',
      { request: { polls: [{ at: START, after: 0, answer: { kind: 'refused', why: '404' } }] } },
    ],
    ['cut-short', '204 before the end', { connections: [connection(0, WHOLE.slice(0, 2)), connection(2, [], 204)] }],
    [
      'changed',
      'an event that is another one now',
      { connections: [connection(0, [event(1, 'queued', { position: 3 })])] },
    ],
    [
      'changed',
      'an event that is gone',
      { log: WHOLE, connections: [connection(0, [...WHOLE.slice(0, 5), event(6, 'progress')])] },
    ],
    ['wrong-answer', 'another text', { answers: ['Once ', 'again'] }],
    [
      'wrong-answer',
      'another score',
      {
        answers: [{ label: 'a', scores: [0.9789] }],
        log: [event(1, 'responses', { response: { label: 'a', scores: [0.9788] } }), event(2, 'completed')],
      },
    ],
    [
      'wrong-answer',
      'another label',
      {
        answers: [{ label: 'a' }],
        log: [event(1, 'responses', { response: { label: 'b' } }), event(2, 'completed')],
      },
    ],
    [
      'wrong-answer',
      'a response said twice',
      {
        answers: [{ label: 'a' }],
        log: [
          event(1, 'responses', { response: { label: 'a' } }),
          event(2, 'responses', { response: { label: 'a' } }),
          event(3, 'completed'),
        ],
      },
    ],
    [
      'over-budget',
      'a sixth attempt',
      {
        log: [
          event(1, 'queued'),
          event(2, 'started', { attempt: 6 }),
          ...STORY.map((response, index) => event(3 + index, 'responses', { response })),
          event(6, 'completed'),
        ],
      },
    ],
    ['failed-for-nothing', 'a failure without a fault', { log: failed(crashed) }],
    ['failed-for-nothing', 'a failure for good', { log: failed({ ...crashed, retriable: false }), faults: struck }],
    [
      'failed-for-nothing',
      'a failure that no fault explains',
      { log: failed({ problem: { kind: 'internal', detail: '' }, retriable: true }), faults: struck },
    ],
    ['failed-for-nothing', 'a cancellation that nobody asked for', { log: [event(1, 'cancelled')], faults: struck }],
    ['failed-for-nothing', 'a deadline before its time', { log: [event(1, 'expired')], faults: struck }],
    ['history-missing', 'an accepted request that is not in the history', { history: () => [] }],
    ['history-twice', 'a request that is there twice', { history: (item) => [item, item] }],
    ['history-unknown', 'a request that nobody sent', { history: (item) => [item, { ...item, requestID: 'r2' }] }],
    ['history-differs', 'another status', { history: (item) => [{ ...item, status: 'started' }] }],
    ['history-differs', 'a response less', { history: (item) => [{ ...item, responses: item.responses.slice(1) }] }],
    [
      'history-order',
      'an older one before a newer one',
      { history: (item) => [{ ...item, sentAt: iso(-5), requestID: 'r0' }, item] },
    ],
  ])('%s: %s', (rule, _, made) => {
    expect(rulesOf(made)).toContain(rule)
  })

  test('polled responses that are not those of the history', () => {
    const observation = observed()
    const [request] = observation.requests
    const view = request?.afterwards?.view
    if (!request || !view) throw new Error('nothing was made')
    const poll = (after: number, responses: RequestView['responses'], lastEventID: number) => ({
      at: START,
      after,
      answer: { kind: 'view', view: { ...view, responses, lastEventID } } as const,
    })
    request.polls.push(poll(0, view.responses.slice(0, 1), 3), poll(3, view.responses.slice(1), 6))
    expect(check(observation)).toEqual([])
    request.polls.splice(1, 1, poll(3, view.responses.slice(0, 1), 6))
    expect(check(observation).map(({ rule }) => rule)).toEqual(['changed'])
    request.polls.splice(1, 1, poll(3, view.responses.slice(1), 2))
    expect(check(observation).map(({ rule }) => rule)).toEqual(['repeat'])
  })
})
