import { expect, test } from 'bun:test'
import { Manifest } from '@oriel/protocol/manifest'
import * as v from 'valibot'
import { Announcer } from './announcer.ts'
import { silentLogger } from './logger.ts'
import { ManualClock } from './testing/manual-clock.ts'

const manifestOf = (name: string) =>
  v.parse(Manifest, {
    name,
    version: '1',
    engine: 'tensor',
    files: [{ path: 'model.onnx', sha256: '0'.repeat(64), bytes: 0 }],
    limits: { timeoutMs: 1, maxBatch: 0, concurrency: 1 },
  })

function setup() {
  const clock = new ManualClock()
  const broker = { up: true }
  const announced: string[] = []
  const registry = {
    beat: async () => {},
    leave: async () => {},
    announce: async ({ name }: Manifest) => {
      if (!broker.up) throw new Error('away')
      announced.push(name)
    },
  }
  const manifests = ['a', 'b', 'c'].map(manifestOf)
  return { clock, broker, announced, announcer: new Announcer({ registry, manifests, clock, logger: silentLogger }) }
}

test('every model is announced once', async () => {
  const { announcer, announced, clock } = setup()
  announcer.run()
  await clock.advance(60_000)
  expect(announced).toEqual(['a', 'b', 'c'])
  expect(clock.timers).toBe(0)
})

test('what the broker did not take is announced when it does', async () => {
  const { announcer, announced, clock, broker } = setup()
  broker.up = false
  announcer.run()
  await clock.advance(10_000)
  broker.up = true
  await clock.advance(2_000)
  expect(announced).toEqual(['a', 'b', 'c'])
})

test('a round that is begun again does not go on twice', async () => {
  const { announcer, announced, clock, broker } = setup()
  broker.up = false
  announcer.run()
  await clock.advance(0)
  broker.up = true
  announcer.run()
  await clock.advance(10_000)
  expect(announced).toEqual(['a', 'b', 'c'])
})

test('a node that leaves announces no more', async () => {
  const { announcer, announced, clock, broker } = setup()
  broker.up = false
  announcer.run()
  await clock.advance(0)
  announcer.stop()
  broker.up = true
  await clock.advance(10_000)
  expect(announced).toEqual([])
  expect(clock.timers).toBe(0)
})
