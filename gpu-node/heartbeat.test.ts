import { expect, test } from 'bun:test'
import { HEARTBEAT_MS, type NodeStatus } from '@oriel/protocol/node-status'
import { nodeStatus } from '@oriel/protocol/testing'
import { DEBOUNCE_MS, Heartbeat } from './heartbeat.ts'
import { silentLogger } from './logger.ts'
import { ManualClock } from './testing/manual-clock.ts'

function setup(beat: (status: NodeStatus) => Promise<void> = async () => {}) {
  const clock = new ManualClock(0)
  const beats: number[] = []
  const left: string[] = []
  const registry = {
    beat: (status: NodeStatus) => {
      beats.push(clock.now())
      return beat(status)
    },
    leave: async (node: string) => void left.push(node),
    announce: async () => {},
  }
  const describe = () => nodeStatus('a', { lastHeartbeat: clock.now() })
  const heartbeat = new Heartbeat({ registry, clock, logger: silentLogger, describe })
  return { clock, heartbeat, beats, left }
}

test('a node beats at once and then every heartbeat', async () => {
  const { clock, heartbeat, beats } = setup()
  heartbeat.run()
  await clock.advance(2 * HEARTBEAT_MS)
  expect(beats).toEqual([0, HEARTBEAT_MS, 2 * HEARTBEAT_MS])
})

test('a change is told at once, many changes as one', async () => {
  const { clock, heartbeat, beats } = setup()
  heartbeat.run()
  await clock.advance(1_000)
  for (let change = 0; change < 100; change++) heartbeat.changed()
  await clock.advance(0)
  for (let change = 0; change < 100; change++) heartbeat.changed()
  await clock.advance(DEBOUNCE_MS)
  expect(beats).toEqual([0, 1_000, 1_000 + DEBOUNCE_MS])
})

test('a change during a beat is not forgotten', async () => {
  const slow = Promise.withResolvers<void>()
  const { clock, heartbeat, beats } = setup(() => slow.promise)
  heartbeat.run()
  await clock.advance(1)
  heartbeat.changed()
  slow.resolve()
  await clock.advance(DEBOUNCE_MS)
  expect(beats).toEqual([0, DEBOUNCE_MS])
})

test('a beat that is not heard does not stop the heart', async () => {
  const { clock, heartbeat, beats } = setup(async () => {
    throw new Error('no broker')
  })
  heartbeat.run()
  await clock.advance(HEARTBEAT_MS)
  expect(beats).toHaveLength(2)
})

test('a node that leaves says so and beats no more', async () => {
  const { clock, heartbeat, beats, left } = setup()
  heartbeat.run()
  await clock.advance(0)
  await heartbeat.stop()
  heartbeat.changed()
  await clock.advance(10 * HEARTBEAT_MS)
  expect(left).toEqual(['a'])
  expect(beats).toEqual([0])
  expect(clock.timers).toBe(0)
})
