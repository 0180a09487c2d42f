import { expect, test } from 'bun:test'
import { BacklogMeter } from './backlog-meter.ts'

const queue = (delivered: number, waiting = 0) => ({ waiting, running: 1, delivered })

test('how fast jobs are taken is told of the last seconds', () => {
  const meter = new BacklogMeter()
  expect(meter.now([])).toEqual({ partitions: [] })
  for (let second = 0; second <= 30; second++) meter.add([queue(second * 5, 7), queue(0)], second * 1_000)
  expect(meter.now([2, 1]).partitions).toEqual([
    { waiting: 7, running: 1, drain: 5, homes: 2 },
    { waiting: 0, running: 1, drain: 0, homes: 1 },
  ])
})

test('a consumer that was made anew counts from its beginning', () => {
  const meter = new BacklogMeter()
  for (let second = 0; second <= 5; second++) meter.add([queue(1_000 + second)], second * 1_000)
  for (let second = 6; second <= 8; second++) meter.add([queue((second - 6) * 3)], second * 1_000)
  expect(meter.now([1]).partitions[0]?.drain).toBe(3)
})
