import { expect, test } from 'bun:test'
import type { Connection, Observation, RequestObservation } from './observation.ts'
import { reportOf, table } from './report.ts'
import { slowestOf } from './slowest.ts'
import { timelineOf } from './timeline.ts'

const at = (ms: number) => new Date(ms).toISOString()
const seen = (id: number, type: string, ms: number) => ({ id, type, data: { sentAt: at(ms) }, at: ms })

const connection = (openedAt: number, events: Connection['events'], end: Connection['end'] = 'closed'): Connection => ({
  openedAt,
  after: 0,
  status: 200,
  events,
  closedAt: events.at(-1)?.at ?? openedAt,
  end,
})

function request(requestID: string, from: number, connections: Connection[]): RequestObservation {
  const log = connections.flatMap(({ events }) => events)
  return {
    planned: {
      requestID,
      user: 'alice',
      at: 0,
      question: 'iris-0',
      modelID: 'iris',
      request: {},
      reading: { mode: 'stream', leaves: [] },
    },
    submits: [{ at: from, answeredAt: from + 10, outcome: { kind: 'accepted', sentAt: at(from) } }],
    connections,
    polls: [],
    cancellations: [],
    afterwards: { status: 200, view: undefined, log },
  }
}

/** One waits through a fault for its second event, one goes away over it, one comes later. */
const waiting = request('waits', 1_000, [connection(1_010, [seen(1, 'queued', 1_020), seen(2, 'completed', 5_020)])])
const away = request('goes', 1_000, [
  connection(1_010, [seen(1, 'queued', 1_020)], 'left'),
  connection(5_000, [seen(2, 'completed', 5_001)]),
])
const later = request('comes later', 7_000, [connection(7_010, [seen(1, 'completed', 7_020)])])
const observation: Observation = {
  requests: [waiting, away, later],
  histories: new Map(),
  answers: new Map(),
  faults: [
    { fault: 'kill-node', target: 'node-1', at: 2_000, until: 3_000 },
    { fault: 'kill-node', target: 'node-2', at: 9_000, until: 9_500 },
    { fault: 'kill-edge', target: '', at: 2_000, until: 2_000, skipped: 'it does not run' },
  ],
}
const violations = [{ rule: 'gap', user: 'alice', requestID: 'waits', detail: '' }] as const

test('a fault is told with the requests that it met, and the longest that one of them waited', () => {
  const { faults, ends, accepted } = reportOf(1, [], observation, violations)
  expect(faults).toEqual([
    { fault: 'kill-node', injected: 2, skipped: 0, touched: 2, longestPauseMs: 4_000, violations: 1 },
    { fault: 'kill-edge', injected: 0, skipped: 1, touched: 0, longestPauseMs: 0, violations: 0 },
  ])
  expect([accepted, ends]).toEqual([3, { completed: 3 }])
})

test('the time that a client was away by its own will is no pause', () => {
  const { faults } = reportOf(1, [], { ...observation, requests: [away] }, [])
  expect(faults[0]).toMatchObject({ touched: 1, longestPauseMs: 0 })
})

test('a client that never got its answer waits until it gave up', () => {
  const never = request('never', 1_000, [
    { ...connection(1_010, [seen(1, 'queued', 1_020)], 'silent'), closedAt: 9_000 },
  ])
  expect(reportOf(1, [], { ...observation, requests: [never] }, []).faults[0]?.longestPauseMs).toBe(7_980)
})

test('the table has a line for each fault, and a line for all', () => {
  const lines = table(reportOf(1, [], observation, violations)).split('\n')
  expect(lines[0]).toStartWith('| fault')
  expect(lines.filter((line) => line.startsWith('| kill-'))).toHaveLength(2)
  expect(lines.at(-1)).toContain('3 requests: 3 accepted, 0 refused')
  expect(new Set(lines.slice(0, 4).map(({ length }) => length)).size).toBe(1)
})

test('the slowest are told with their longest wait, the longest first', () => {
  const [first, second, ...others] = slowestOf(observation, 2)
  expect([first?.pauseMs, first?.from, first?.to]).toEqual([4_000, at(1_020), at(5_020)])
  expect(first?.timeline[0]).toContain('waits')
  expect([second?.pauseMs, others]).toEqual([10, []])
})

test('a timeline has what the client saw, the log and the faults around it, in the order of time', () => {
  const lines = timelineOf(waiting, observation)
  const place = (text: string) => lines.findIndex((line) => line.includes(text))
  expect(place('submits')).toBeGreaterThan(0)
  expect(place('gets 1 queued')).toBeGreaterThan(place('submits'))
  expect(place('fault   kill-node node-1')).toBeGreaterThan(place('gets 1 queued'))
  expect(place('gets 2 completed')).toBeGreaterThan(place('kill-node node-1 is over'))
})
