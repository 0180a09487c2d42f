import { expect, test } from 'bun:test'
import { type Lap, standings, standingsTable } from './standings.ts'

const lap = (rival: string, connections: number, perSecond: number): Lap => ({
  ...{ rival, graph: 'tiny', connections, perSecond },
  ...{ p50Ms: 1, p99Ms: 2 },
})

test('the median of the rounds counts, beside that of the reference at as many connections', () => {
  const laps = [
    ...[900, 100, 1_000].map((rate) => lap('ours', 1, rate)),
    ...[300, 290, 9_000].map((rate) => lap('theirs', 1, rate)),
    lap('theirs', 8, 10),
  ]
  const [ours, theirs] = standings(laps, 'theirs')
  expect(ours).toEqual({ ...lap('ours', 1, 900), range: [100, 1_000], ratio: 3 })
  expect(theirs?.ratio).toBe(1)
})

test('without the reference there is no ratio, and what did not run has a dash', () => {
  const found = standings([lap('ours', 1, 1_234), lap('theirs', 8, 10)], 'another')
  expect(found.map(({ ratio }) => ratio)).toEqual([null, null])
  expect(standingsTable(found).split('\n')).toEqual([
    '                ours  theirs',
    'tiny, 1        1,234       –',
    '         1,234–1,234       –',
    'tiny, 8            –      10',
    '                   –   10–10',
  ])
})
