import { expect, test } from 'bun:test'
import type { RequestEvent } from '@oriel/protocol/event'
import { endedFacts } from '@oriel/protocol/fact'
import { acceptedOf } from './job-of.ts'
import { mendRecord } from './mend-record.ts'
import type { Fact } from './recent-facts.ts'
import { openRequest } from './testing.ts'

const accepted = acceptedOf(openRequest())
const { id } = accepted
const log: RequestEvent[] = [
  { n: 1, at: 1, type: 'queued', position: 0 },
  { n: 2, at: 2, type: 'started', node: 'a', attempt: 1 },
  { n: 3, at: 3, type: 'responses', response: 'yes' },
  { n: 4, at: 4, type: 'completed' },
]
const end = { status: 'completed', n: 4, at: 4 } as const

/** HISTORY and PROGRESS, as much of them as matters here. */
function broker(events: readonly RequestEvent[], history: Record<string, unknown> = {}) {
  const told = new Map(Object.entries(history))
  const news: Fact[] = []
  const port = {
    told: async (subject: string) => told.get(subject),
    log: async () => events,
    tell: async (fact: Fact) => {
      news.push(fact)
      told.set(fact.subject, JSON.parse(fact.data))
    },
  }
  return { port, news, subjects: () => news.map(({ subject }) => subject) }
}

const whole = { [`history.accepted.${id}`]: accepted, [`history.ended.${id}`]: endedFacts(id, log)[0] }

test('what HISTORY has is not told again at the first look: the recorder is only late', async () => {
  const { port, news } = broker(log, whole)
  expect(await mendRecord(port, accepted, end, 'first')).toBe('on-its-way')
  expect(news).toEqual([])
})

test('HISTORY may have only the last part of an end: from the second look on all of it is told again', async () => {
  const text = 'x'.repeat(800_000)
  const long = log.map((event): RequestEvent => (event.type === 'responses' ? { ...event, response: text } : event))
  const parts = endedFacts(id, long)
  expect(parts.length).toBeGreaterThan(1)
  for (const look of ['again', 'last'] as const) {
    const { port, news } = broker(long, { ...whole, [`history.ended.${id}`]: parts.at(-1) })
    expect(await mendRecord(port, accepted, end, look)).toBe('told')
    expect(news.map(({ data }) => JSON.parse(data))).toEqual(JSON.parse(JSON.stringify(parts)))
  }
})

test('what HISTORY has of an end is not given up for a log that is gone', async () => {
  const { port, news } = broker([], whole)
  expect(await mendRecord(port, accepted, end, 'last')).toBe('on-its-way')
  expect(news).toEqual([])
})

test('what HISTORY has lost is told again from the log', async () => {
  const { port, news, subjects } = broker(log)
  expect(await mendRecord(port, accepted, end, 'first')).toBe('told')
  expect(subjects()).toEqual([`history.accepted.${id}`, `history.ended.${id}`])
  expect(JSON.parse(news[1]?.data ?? '')).toEqual({ ...endedFacts(id, log)[0] })
  expect(await mendRecord(port, accepted, end, 'first')).toBe('on-its-way')
  expect(news).toHaveLength(2)
})

test('an acceptance that HISTORY has lost is told again, though it has the end', async () => {
  const { port, subjects } = broker(log, { [`history.ended.${id}`]: endedFacts(id, log)[0] })
  expect(await mendRecord(port, accepted, end, 'first')).toBe('on-its-way')
  expect(subjects()).toEqual([`history.accepted.${id}`])
})

test('the end that a request had before it was queued again is not the end', async () => {
  const failed = { ...whole, [`history.ended.${id}`]: { ...endedFacts(id, log)[0], n: 2 } }
  const { port, subjects } = broker(log, failed)
  expect(await mendRecord(port, accepted, end, 'first')).toBe('told')
  expect(subjects()).toEqual([`history.ended.${id}`])
})

test('a log of which a part is gone is no answer: the end is told as lost, and not before nobody can bring it back', async () => {
  for (const rest of [[], log.slice(1), log.slice(0, 3)]) {
    const { port, news } = broker(rest, { [`history.accepted.${id}`]: accepted })
    expect(await mendRecord(port, accepted, end, 'first')).toBe('missing')
    expect(news).toEqual([])
    expect(await mendRecord(port, accepted, end, 'last')).toBe('lost')
    expect(JSON.parse(news[0]?.data ?? '')).toMatchObject({
      status: 'completed',
      n: 4,
      endedAt: 4,
      events: [{ n: 4, at: 4, type: 'completed', problem: { kind: 'answer-lost' } }],
    })
  }
})
