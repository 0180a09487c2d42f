import { beforeEach, expect, test } from 'bun:test'
import type { CheckAnswer } from '@oriel/protocol/check'
import { KnownVersion } from '@oriel/protocol/known-version'
import { Manifest } from '@oriel/protocol/manifest'
import * as v from 'valibot'
import type { Changes } from './projection.ts'
import type { Registered } from './registered.ts'
import { Registrar } from './registrar.ts'

const manifest = v.parse(Manifest, {
  name: 'm',
  version: '1',
  engine: 'tensor',
  files: [{ path: 'model.onnx', sha256: '0'.repeat(64), bytes: 1 }],
  limits: { timeoutMs: 1_000, maxBatch: 1, concurrency: 1 },
})
const ready: Registered = { key: 'm.1', known: v.parse(KnownVersion, { ...manifest, registered: true }) }

/** A database and a broker in memory. */
class World {
  now = 0
  changed: Registered[] = []
  looks: ('whole' | 'lately')[] = []
  pending: Manifest[] = []
  readonly settled: string[] = []
  readonly tried: (string | undefined)[] = []
  bucket = new Map<string, KnownVersion>()
  breaks = false
  checks: PromiseWithResolvers<CheckAnswer | undefined>[] = []

  readonly registrar = new Registrar({
    versions: {
      changed: async (lately) => {
        this.looks.push(lately ? 'lately' : 'whole')
        return this.changed
      },
      toCheck: async () => this.pending,
      settle: async (_, { kind }) => void this.settled.push(kind),
      tried: async (_, why) => void this.tried.push(why?.kind),
    },
    bucket: async () => ({
      read: async () => new Map(this.bucket),
      apply: async ({ put, drop }: Changes) => {
        if (this.breaks) throw new Error('the broker is away')
        for (const { key, known } of put) this.bucket.set(key, known)
        for (const key of drop) this.bucket.delete(key)
      },
    }),
    check: () => {
      const asked = Promise.withResolvers<CheckAnswer | undefined>()
      this.checks.push(asked)
      return asked.promise
    },
    now: () => this.now,
    log: () => {},
  })

  async answer(answer: CheckAnswer | undefined): Promise<void> {
    this.checks.at(-1)?.resolve(answer)
    await Bun.sleep(0) // until what follows the answer is done
  }
}

let world: World
beforeEach(() => {
  world = new World()
})

test('everything is looked at first, after a reconnect, after a break, and once a minute; else what changed', async () => {
  const { registrar } = world
  await registrar.look()
  await registrar.look()
  world.now += 60_000
  await registrar.look()
  registrar.forget()
  await registrar.look()
  world.changed = [ready]
  world.breaks = true
  await expect(registrar.look()).rejects.toThrow('away')
  world.breaks = false
  await registrar.look()
  expect(world.looks).toEqual(['whole', 'lately', 'whole', 'whole', 'lately', 'whole'])
  expect([...world.bucket.keys()]).toEqual(['m.1'])
})

test('a bucket that lost what it had has it again', async () => {
  world.changed = [ready]
  await world.registrar.look()
  world.bucket.clear()
  world.registrar.forget()
  await world.registrar.look()
  expect(world.bucket.get('m.1')).toEqual(ready.known)
})

test('a version is asked about once at a time, and settled by what a node says of it', async () => {
  world.pending = [manifest]
  await world.registrar.look()
  await world.registrar.look()
  expect(world.checks).toHaveLength(1)
  await world.answer({ kind: 'fit', manifest })
  expect(world.settled).toEqual(['fit'])
})

test('without an answer, or with none that helps, it is asked again, but not at once', async () => {
  world.pending = [manifest]
  await world.registrar.look()
  await world.answer(undefined)
  await world.registrar.look()
  expect(world.checks).toHaveLength(1)
  world.now += 5_000
  await world.registrar.look()
  await world.answer({ kind: 'unable', problem: { kind: 'unavailable', detail: 'no file' } })
  world.now += 5_000
  await world.registrar.look()
  await world.answer({ kind: 'unfit', problem: { kind: 'model-unavailable', detail: 'no graph' } })
  expect(world.checks).toHaveLength(3)
  expect(world.tried).toEqual([undefined, 'unavailable'])
  expect(world.settled).toEqual(['unfit'])
})
