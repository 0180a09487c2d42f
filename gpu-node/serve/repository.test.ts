import { expect, test } from 'bun:test'
import { Manifest } from '@oriel/protocol/manifest'
import { ProblemError } from '@oriel/protocol/problem'
import fc from 'fast-check'
import * as v from 'valibot'
import type { LocalModel } from '../model-runner.ts'
import type { Edition } from './edition.ts'
import type { TreeVersion } from './model-tree.ts'
import { ModelRepository } from './repository.ts'

/** A folder that a test writes by hand, and a shelf that counts what is in memory. The stamp says whether it is good. */
function setUp(files: Record<string, string>) {
  const folder = new Map(Object.entries(files))
  const inMemory = new Map<LocalModel, string>()
  const gates: (() => void)[] = []
  const seen = { brought: [] as string[], gated: false }
  const versions = (): TreeVersion[] =>
    [...folder].map(([path, stamp]) => {
      const [name = '', version = ''] = path.split('/')
      return { name, version, stamp, dir: `/${path}`, kind: 'graph', maxBatch: undefined }
    })
  const repository = new ModelRepository({
    readTree: async (only) => ({
      versions: versions().filter(({ name }) => only === undefined || only === name),
      notes: [],
    }),
    shelf: {
      async bring({ name, version, stamp, dir }) {
        seen.brought.push(`${name}/${version}`)
        if (seen.gated) await new Promise<void>((open) => gates.push(open))
        if (stamp.startsWith('bad')) throw new ProblemError({ kind: 'model-unavailable', detail: `${stamp}.` })
        const manifest = v.parse(Manifest, {
          name,
          version,
          engine: 'tensor',
          description: stamp,
          files: [{ path: 'model.onnx', sha256: '0'.repeat(64), bytes: 1 }],
          limits: { timeoutMs: 1, maxBatch: 0, concurrency: 1 },
        })
        const model = { manifest, dir }
        inMemory.set(model, stamp)
        return model
      },
      async release(model) {
        if (!inMemory.delete(model)) throw new Error('released twice')
      },
    },
  })
  const ask = async (name: string, version?: string) => {
    const edition = await repository.borrow(name, version)
    edition.release()
    return `${edition.model.manifest.version} ${edition.model.manifest.description}`
  }
  const openGates = () => {
    seen.gated = false
    for (const open of gates.splice(0)) open()
  }
  return { repository, folder, inMemory, seen, ask, openGates }
}

const detailOf = (error: unknown) => (error instanceof ProblemError ? error.problem.detail : String(error))
const refusal = (promise: Promise<unknown>) => promise.then(() => 'taken', detailOf)

test('the highest version is the default, as a number and not as a text', async () => {
  const { repository, ask } = setUp({ 'm/9': 'a', 'm/10': 'b' })
  await repository.refresh()
  expect(await ask('m')).toBe('10 b')
  expect(await ask('m', '9')).toBe('9 a')
  expect(repository.versions('m')).toEqual(['9', '10'])
})

test('one bad model does not keep the others away, and is listed with its reason', async () => {
  const { repository, ask } = setUp({ 'good/1': 'a', 'bad/1': 'bad graph' })
  await repository.refresh()
  await repository.openAll()
  expect(repository.list().map(({ name, state, reason }) => [name, state, reason])).toEqual([
    ['good', 'ready', ''],
    ['bad', 'unavailable', 'bad graph.'],
  ])
  expect(await refusal(ask('bad'))).toBe('bad graph.')
  expect([repository.isReady('good'), repository.isReady('bad')]).toEqual([true, false])
})

test('a new version that is bad leaves its requests to the one below', async () => {
  const { repository, folder, ask } = setUp({ 'm/1': 'a' })
  await repository.refresh()
  folder.set('m/2', 'bad')
  await repository.refresh()
  await repository.openAll()
  expect(await ask('m')).toBe('1 a')
  expect(await refusal(ask('m', '2'))).toBe('bad.')
  expect(await refusal(repository.load('m'))).toBe('bad.')
})

test('a model is brought into memory once, however many ask for it at a time', async () => {
  const { repository, seen, ask, openGates } = setUp({ 'm/1': 'a' })
  await repository.refresh()
  seen.gated = true
  const answers = Promise.all([ask('m'), ask('m', '1'), repository.openAll(), ask('m')])
  expect(repository.list()[0]?.state).toBe('loading')
  openGates()
  expect(await answers).toEqual(['1 a', '1 a', undefined, '1 a'])
  expect(seen.brought).toEqual(['m/1'])
})

test('files that change are taken up while the old ones go on until their last request has ended', async () => {
  const { repository, folder, inMemory, ask } = setUp({ 'm/1': 'a' })
  await repository.refresh()
  const held = await repository.borrow('m')
  folder.set('m/1', 'b')
  await repository.refresh()
  expect(await ask('m')).toBe('1 b')
  expect([...inMemory.values()]).toEqual(['a', 'b'])
  held.release()
  await repository.settled()
  expect([...inMemory.values()]).toEqual(['b'])
})

test('files that are replaced by bad ones are told, and what was open is still served', async () => {
  const { repository, folder, ask } = setUp({ 'm/1': 'a' })
  await repository.refresh()
  await repository.openAll()
  folder.set('m/1', 'bad now')
  expect(await refusal(repository.load('m'))).toBe('bad now.')
  expect(await refusal(repository.load('m'))).toBe('bad now.')
  expect(await ask('m')).toBe('1 a')
  folder.set('m/1', 'c')
  await repository.load('m')
  expect(await ask('m')).toBe('1 c')
})

test('while a new version is opened, the one below it takes the requests', async () => {
  const { repository, folder, seen, ask, openGates } = setUp({ 'm/1': 'a' })
  await repository.refresh()
  await repository.openAll()
  folder.set('m/2', 'b')
  await repository.refresh()
  seen.gated = true
  expect(await ask('m')).toBe('1 a')
  expect(seen.brought).toEqual(['m/1', 'm/2'])
  openGates()
  await repository.openAll()
  expect(await ask('m')).toBe('2 b')
})

test('an unloaded model is refused until it is loaded again; what runs ends first', async () => {
  const { repository, inMemory, ask } = setUp({ 'm/1': 'a', 'm/2': 'b' })
  await repository.refresh()
  const held = await repository.borrow('m')
  repository.unload('m')
  expect(await refusal(ask('m'))).toBe('The model m is not loaded.')
  expect(await refusal(ask('m', '2'))).toBe('There is no version 2 of m here.')
  expect([...inMemory.values()]).toEqual(['b'])
  held.release()
  await repository.settled()
  expect(inMemory.size).toBe(0)
  // A look at the folder is no load.
  await repository.refresh()
  expect(repository.list().map(({ reason }) => reason)).toEqual(['unloaded', 'unloaded'])
  await repository.load('m')
  expect(await ask('m')).toBe('2 b')
})

test('a model that is removed while it is opened is let go of', async () => {
  const { repository, folder, inMemory, seen, ask, openGates } = setUp({ 'm/1': 'a' })
  await repository.refresh()
  seen.gated = true
  const answer = refusal(ask('m'))
  folder.delete('m/1')
  await repository.refresh()
  openGates()
  expect(await answer).toBe('There is no model m here.')
  await repository.settled()
  expect([inMemory.size, repository.list()]).toEqual([0, []])
})

test('a model that was never there is not found, and loading it neither', async () => {
  const { repository, ask } = setUp({ 'm/1': 'a' })
  await repository.refresh()
  expect(await refusal(ask('n'))).toBe('There is no model n here.')
  expect(await refusal(ask('m', '7'))).toBe('There is no version 7 of m here.')
  expect(await refusal(repository.load('n'))).toBe('There is no model n here.')
})

type Step =
  | { readonly type: 'write'; readonly version: string; readonly stamp: string }
  | { readonly type: 'remove'; readonly version: string }
  | { readonly type: 'refresh' | 'load' | 'unload' | 'borrow' | 'release' | 'wait' }

const version = fc.constantFrom('1', '2', '3')
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ type: fc.constant('write' as const), version, stamp: fc.constantFrom('a', 'b', 'c', 'bad') }),
  fc.record({ type: fc.constant('remove' as const), version }),
  fc.record({ type: fc.constantFrom('refresh', 'load', 'unload', 'borrow', 'release', 'wait') }),
)

test('whatever happens, what is held stays in memory, and what is not served and not held does not', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const { repository, folder, inMemory } = setUp({ 'm/1': 'a' })
      await repository.refresh()
      const held: Edition[] = []
      const pending: Promise<unknown>[] = []
      for (const step of steps) {
        if (step.type === 'write') folder.set(`m/${step.version}`, step.stamp)
        else if (step.type === 'remove') folder.delete(`m/${step.version}`)
        else if (step.type === 'refresh') pending.push(repository.refresh())
        else if (step.type === 'wait') await new Promise(setImmediate)
        else if (step.type === 'load') pending.push(repository.load('m').catch(detailOf))
        else if (step.type === 'release') held.shift()?.release()
        else if (step.type === 'unload') {
          try {
            repository.unload('m')
          } catch (error) {
            expect(detailOf(error)).toBe('There is no model m here.')
          }
        } else {
          const take = async () => held.push(await repository.borrow('m'))
          pending.push(take().catch(detailOf))
        }
        for (const { model } of held) expect(inMemory.has(model)).toBe(true)
      }
      await Promise.all(pending)
      for (const { model } of held) expect(inMemory.has(model)).toBe(true)
      for (const edition of held) edition.release()
      await repository.refresh()
      await repository.settled()
      const onDisk = new Set([...folder.keys()].map((path) => path.slice(2)))
      for (const { manifest } of inMemory.keys()) expect(onDisk.has(manifest.version)).toBe(true)
      expect(new Set([...inMemory.keys()].map(({ manifest }) => manifest.version)).size).toBe(inMemory.size)
      folder.clear()
      await repository.refresh()
      await repository.settled()
      expect(inMemory.size).toBe(0)
    }),
  )
})
