import { describe, expect, test } from 'bun:test'
import type { Received } from '../support/client.ts'
import { check } from './check.ts'
import { LATE_MS } from './deadline-rules.ts'
import { TIMEOUT_MS } from './load-plan.ts'
import {
  accepted,
  cancelled,
  connection,
  event,
  iso,
  lost,
  type Made,
  nowhere,
  observed,
  refused,
  START,
  WHOLE,
} from './made-observation.ts'
import type { InjectedFault } from './observation.ts'
import type { Rule } from './violation.ts'

// Requests that are cancelled, that run out of time, and that are not let in.

const FULL = 'urn:oriel:problem:queue-full'
const told = (from: readonly Received[], type: string, ms: number): Received[] => [
  ...from,
  { ...event(from.length + 1, type), data: { sentAt: iso(ms) } },
]
const begun = WHOLE.slice(0, 4)
const halted = told(begun, 'cancelled', 500)
const late = (ms: number) => told(begun, 'expired', TIMEOUT_MS + ms)
const answered = (status: 'cancelled' | 'completed' | 'started') => cancelled({ kind: 'answered', status })
const over = (fault: InjectedFault['fault'], from: number, to: number): InjectedFault => ({
  fault,
  target: '',
  at: START + TIMEOUT_MS + from,
  until: START + TIMEOUT_MS + to,
})
const notLetIn = (...submits: ReturnType<typeof refused>[]): Made => ({
  request: { submits, afterwards: nowhere, connections: [] },
  history: () => [],
})

describe('nothing is held against', () => {
  test.each<[string, Made]>([
    ['a request that was cancelled', { log: halted, request: { cancellations: [answered('cancelled')] } }],
    ['a cancellation that came too late', { request: { cancellations: [answered('completed')] } }],
    [
      'a cancellation whose answer was lost, and that was made again',
      { log: halted, request: { cancellations: [cancelled({ kind: 'lost', why: 'reset' }), answered('cancelled')] } },
    ],
    [
      'a cancellation while the broker is away',
      { request: { cancellations: [cancelled({ kind: 'refused', status: 503, problem: '' })] } },
    ],
    ['an end a moment after the deadline', { log: late(LATE_MS) }],
    ['a late end while the broker was away', { log: late(20_000), faults: [over('freeze-nats', -5_000, 12_000)] }],
    ['a queue that was full', notLetIn(refused(503, FULL, '2'))],
    ['a limit of the user', notLetIn(refused(429, 'urn:oriel:problem:limit-exceeded', '1'))],
    ['a full queue that had room again', { request: { submits: [lost, refused(503, FULL, '2'), accepted(iso(0))] } }],
  ])('%s', (_, made) => {
    expect(check(observed(made))).toEqual([])
  })
})

describe('found', () => {
  test.each<[Rule, string, Made]>([
    ['cancel-undone', 'a cancelled request that completed', { request: { cancellations: [answered('cancelled')] } }],
    ['cancel-undone', 'an answer that told no end', { log: halted, request: { cancellations: [answered('started')] } }],
    [
      'turned-away',
      'a cancellation of an accepted request that was answered 404',
      { request: { cancellations: [cancelled({ kind: 'refused', status: 404, problem: '' })] } },
    ],
    [
      'internal-error',
      'a cancellation that was answered 500',
      { request: { cancellations: [cancelled({ kind: 'refused', status: 500, problem: '' })] } },
    ],
    [
      'failed-for-nothing',
      'an end as cancelled before it was cancelled',
      { log: halted, request: { cancellations: [cancelled({ kind: 'lost', why: '' }, START + 501)] } },
    ],
    [
      'wrong-answer',
      'a cancelled story that began otherwise',
      { log: halted, answers: ['Twice ', 'upon'], request: { cancellations: [answered('cancelled')] } },
    ],
    ['wrong-answer', 'an expired story that began otherwise', { log: late(1), answers: ['Once, twice'] }],
    ['failed-for-nothing', 'an end as expired before the deadline', { log: late(-1) }],
    ['late', 'an end long after the deadline', { log: late(LATE_MS + 1) }],
    ['late', 'an answer long after the deadline', { log: told(WHOLE.slice(0, 5), 'completed', TIMEOUT_MS + 60_000) }],
    ['late', 'a late end while Postgres was away', { log: late(20_000), faults: [over('stop-postgres', 0, 20_000)] }],
    ['late', 'a late end long after a fault', { log: late(60_000), faults: [over('kill-nats', 0, 1_000)] }],
    [
      'late',
      'a late end between two faults',
      { log: late(40_000), faults: [over('kill-nats', 0, 1), over('kill-edge', 30_000, 31_000)] },
    ],
    ['no-retry-after', 'a full queue that did not say when', notLetIn(refused(503, FULL))],
    ['no-retry-after', 'a limit that said now', notLetIn(refused(429, 'limit-exceeded', '0'))],
    ['refused-for-nothing', 'a submit that was called a bad one', notLetIn(refused(400))],
    [
      'refused-exists',
      'a request that the full queue refused, and that has events',
      {
        request: {
          submits: [refused(503, FULL, '2')],
          connections: [connection(0, WHOLE)],
          afterwards: { status: 200, view: undefined, log: WHOLE },
        },
        history: () => [],
      },
    ],
    [
      'refused-exists',
      'a request that a limit refused, in the history',
      { request: { submits: [refused(429, '', '1')], afterwards: nowhere, connections: [] } },
    ],
  ])('%s: %s', (rule, _, made) => {
    expect(check(observed(made)).map((violation) => violation.rule)).toContain(rule)
  })
})
