import { expect, test } from 'bun:test'
import { processes } from '@oriel/dev/process-table'
import { type RacePlan, race } from './race.ts'

const plan: RacePlan = {
  ...{ rivals: ['oriel'], graphs: ['tiny'], connections: [2] },
  ...{ rounds: 2, warmUpMs: 50, forMs: 200 },
}

const ours = () => processes().filter(({ parent }) => parent === process.pid)

test('a node alone runs the course, all its answers right, and is gone after it', async () => {
  const before = ours().length
  const { laps, absent } = await race(plan, () => {}, new AbortController().signal)
  expect(absent).toEqual([])
  expect(laps.map(({ rival, graph, connections }) => ({ rival, graph, connections }))).toEqual(
    Array.from({ length: 2 }, () => ({ rival: 'oriel', graph: 'tiny', connections: 2 })),
  )
  for (const { perSecond, p50Ms } of laps) expect(perSecond * p50Ms).toBeGreaterThan(0)
  expect(ours()).toHaveLength(before)
}, 60_000)

test('a race that is ended leaves nothing running', async () => {
  const before = ours().length
  const end = new AbortController()
  const atFirstFigure = (line: string) => {
    if (line.includes('requests/s')) end.abort()
  }
  const outcome = await race({ ...plan, connections: [1, 2] }, atFirstFigure, end.signal)
  expect(outcome).toEqual({ laps: [], absent: [] })
  expect(end.signal.aborted).toBe(true)
  expect(ours()).toHaveLength(before)
}, 60_000)
