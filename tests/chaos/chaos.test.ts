import { expect, test } from 'bun:test'
import type { FaultName } from './faults.ts'
import { reportOf, table } from './report.ts'
import { runChaos } from './run.ts'
import { timelineOf } from './timeline.ts'

const FAULTS: readonly FaultName[] = ['kill-node', 'kill-host', 'cut:node-nats', 'kill-recorder', 'hole:edge-nats']
const SEED = 6

test('under faults every promise is kept', async () => {
  const { observation, violations } = await runChaos({
    seed: SEED,
    forMs: 20_000,
    perSecond: 10,
    nodes: 2,
    edge: 'workerd',
    faults: FAULTS,
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
  expect(report.ends.completed).toBe(report.accepted)
  expect(report.faults.filter(({ injected }) => injected > 0).length).toBe(FAULTS.length)
}, 180_000)
