import { expect, test } from 'bun:test'
import type { FaultName } from './faults.ts'
import { reportOf, table } from './report.ts'
import { runChaos } from './run.ts'
import { type Injection, planFaults } from './schedule.ts'
import { timelineOf } from './timeline.ts'

/** As many kinds as there is time for, and each of them once. */
const FAULTS: readonly FaultName[] = [
  'flood-user',
  'kill-node',
  'kill-host',
  'kill-edge',
  'kill-recorder',
  'kill-nats',
  'freeze-edge',
  'cut:node-nats',
  'cut:client-edge',
  'hole:edge-nats',
  'delay:edge-postgres',
  'stop-postgres',
]
const SEED = 15
const FOR_MS = 24_000
/** The queue is filled first, when nothing else keeps the flood from it. */
const FLOOD_MS = 3_000
const SCHEDULE: readonly Injection[] = [
  { at: 1_000, fault: 'flood-queue', forMs: 1_000, which: 0 },
  ...planFaults(SEED, FOR_MS - FLOOD_MS, FAULTS).map((injection) => ({ ...injection, at: injection.at + FLOOD_MS })),
]

test('under faults every promise is kept', async () => {
  const { observation, violations } = await runChaos({
    seed: SEED,
    forMs: FOR_MS,
    perSecond: 10,
    nodes: 2,
    edge: 'workerd',
    faults: FAULTS,
    schedule: SCHEDULE,
    log: () => {},
    signal: new AbortController().signal,
  })
  const report = reportOf(SEED, FAULTS, observation, violations)
  for (const { requestID, user } of violations.slice(0, 3)) {
    const request = observation.requests.find(({ planned }) => planned.requestID === requestID && planned.user === user)
    if (request) console.error(timelineOf(request, observation).join('\n  '))
  }
  if (violations.length > 0) console.error(table(report))
  expect(violations).toEqual([])
  expect(report.accepted).toBeGreaterThan(150)
  expect(Object.keys(report.ends).sort()).toEqual(['cancelled', 'completed', 'expired'])
  expect(report.refusals['queue-full']).toBeGreaterThan(0)
  expect(report.refusals['limit-exceeded']).toBeGreaterThan(0)
  expect(report.faults.filter(({ injected }) => injected > 0).length).toBe(FAULTS.length + 1)
}, 180_000)
