import type { RequestView } from '@oriel/protocol/api'
import type { Received } from '../support/client.ts'
import { TIMEOUT_MS } from './load-plan.ts'
import type { Cancellation, Connection, Observation, RequestObservation } from './observation.ts'

// Observations made up for tests of the checker's rules.

export const START = Date.parse('2026-11-20T22:00:00.000Z')
export const iso = (ms: number) => new Date(START + ms).toISOString()
export const STORY = ['Once ', 'upon ', 'a time']

export const event = (id: number, type: string, data: object = {}): Received => ({
  id,
  type,
  data: { ...data, sentAt: iso(id * 100) },
})

export const WHOLE: Received[] = [
  event(1, 'queued', { position: 0 }),
  event(2, 'started', { node: 'node-1', attempt: 1 }),
  ...STORY.map((response, index) => event(3 + index, 'responses', { response })),
  event(6, 'completed'),
]

export const connection = (after: number, events: readonly Received[], status = 200): Connection => ({
  openedAt: START,
  after,
  status,
  events: events.map((one) => ({ ...one, at: START })),
  closedAt: START,
  end: 'closed',
})

export interface Made {
  log?: readonly Received[]
  connections?: Connection[]
  request?: Partial<RequestObservation>
  history?: (item: RequestView) => readonly RequestView[]
  answers?: readonly unknown[]
  faults?: Observation['faults']
}

/** What is seen of one request of which all is well, but for what is said. */
export function observed({
  log = WHOLE,
  connections,
  request,
  history = (item) => [item],
  ...rest
}: Made = {}): Observation {
  const planned = {
    requestID: 'r1',
    user: 'alice',
    at: 0,
    question: 'story',
    modelID: 'storyteller',
    request: { input: 'x', timeoutMs: TIMEOUT_MS },
    reading: { mode: 'stream', leaves: [] },
  } as const
  const view = {
    requestID: 'r1',
    modelID: 'storyteller',
    request: { input: 'x', timeoutMs: TIMEOUT_MS },
    responses: log.flatMap(({ type, data }) =>
      type === 'responses' ? [{ response: data.response, sentAt: String(data.sentAt) }] : [],
    ),
    status: (log.at(-1)?.type ?? 'accepted') as RequestView['status'],
    sentAt: iso(0),
    lastEventID: log.at(-1)?.id ?? 0,
  }
  const one: RequestObservation = {
    planned,
    submits: [{ at: START, answeredAt: START, outcome: { kind: 'accepted', sentAt: iso(0) } }],
    connections: connections ?? [connection(0, log)],
    polls: [],
    cancellations: [],
    afterwards: { status: 200, view, log },
    ...request,
  }
  return {
    requests: [one],
    histories: new Map([['alice', history(view)]]),
    answers: new Map([['story', rest.answers ?? STORY]]),
    faults: rest.faults ?? [],
  }
}

export const accepted = (sentAt: string) => ({
  at: START,
  answeredAt: START,
  outcome: { kind: 'accepted', sentAt } as const,
})
export const refused = (status: number, problem = '', retryAfter?: string) => ({
  at: START,
  answeredAt: START,
  outcome: { kind: 'refused', status, problem, ...(retryAfter && { retryAfter }) } as const,
})
export const lost = { at: START, answeredAt: START, outcome: { kind: 'lost', why: 'reset' } as const }
export const nowhere = { status: 404, view: undefined, log: [] }
export const crashed = { problem: { kind: 'host-crashed', detail: '' }, retriable: true }
export const struck = [{ fault: 'kill-node', target: 'node-1', at: START, until: START + 1 }] as const

export const cancelled = (outcome: Cancellation['outcome'], at = START): Cancellation => ({
  at,
  answeredAt: at,
  outcome,
})
