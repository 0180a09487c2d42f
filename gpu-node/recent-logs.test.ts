import { expect, test } from 'bun:test'
import type { RequestEvent } from '@oriel/protocol/event'
import { newRequestId } from '@oriel/protocol/ids'
import type { Job } from '@oriel/protocol/job'
import { endingOf } from './ending.ts'
import { silentLogger } from './logger.ts'
import { MemoryOutcomes } from './memory-outcomes.ts'
import { MemoryRequestLog } from './memory-request-log.ts'
import { RecentLogs } from './recent-logs.ts'
import { ManualClock } from './testing/manual-clock.ts'

const { signal } = new AbortController()

function setup() {
  const log = new MemoryRequestLog()
  const clock = new ManualClock()
  const outcomes = new MemoryOutcomes()
  const recent = new RecentLogs({ log, clock, outcomes, logger: silentLogger })
  const end = async (response: unknown = 'Once') => {
    const id = newRequestId(clock.now())
    const at = clock.now()
    const lane = 'interactive' as const
    const about = { model: 'teller', version: '1', lane, input: '', parameters: {}, dispatch: 1 }
    const job: Job = { id, shard: 0, sentAt: at, deadlineAt: at + 1_000, ...about }
    const events: RequestEvent[] = [
      { n: 1, at, type: 'started', node: 'a', attempt: 1 },
      { n: 2, at, type: 'responses', response },
      { n: 3, at, type: 'completed' },
    ]
    let sequence = 0
    for (const event of events) sequence = Number(await log.append(0, id, event, sequence))
    recent.keep(job, events, endingOf(job, events, 'a', 1))
    return { id, events }
  }
  return { log, clock, outcomes, recent, end }
}

test('everything that was lost is written and told again, and what was kept is not', async () => {
  const { log, outcomes, recent, end } = setup()
  const ends = [await end(), await end(), await end()]
  log.epoch++
  await recent.verify(signal)
  expect(outcomes.facts.size).toBe(0)
  log.loseState()
  await recent.verify(signal)
  for (const { id, events } of ends) {
    expect((await log.read(0, id)).events).toEqual(events)
    expect(outcomes.facts.get(`${id}.0`)?.events).toEqual(events)
  }
})

test('when a run has found the loss out first, all are looked at though the last is there', async () => {
  const { log, outcomes, recent, end } = setup()
  const [first, last] = [await end(), await end()]
  log.loseState()
  let sequence = 0
  for (const event of last.events) sequence = Number(await log.append(0, last.id, event, sequence))
  recent.noticeLoss()
  await recent.verify(signal)
  expect((await log.read(0, first.id)).events).toEqual(first.events)
  expect(outcomes.facts.size).toBe(2)
})

test('a log is forgotten after some minutes', async () => {
  const { clock, recent, end } = setup()
  await end()
  await clock.advance(4 * 60_000)
  await end()
  expect(recent.size).toBe(1)
})

test('the oldest logs are forgotten when there are too many to keep', async () => {
  const { log, recent, end } = setup()
  const first = await end('x'.repeat(6_000_000))
  await end('x'.repeat(6_000_000))
  await end('x'.repeat(6_000_000))
  expect(recent.size).toBe(2)
  log.loseState()
  await recent.verify(signal)
  expect((await log.read(0, first.id)).events).toEqual([])
})
