import { afterAll, expect, test } from 'bun:test'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Manifest } from '@oriel/protocol/manifest'
import { toProblem } from '@oriel/protocol/problem'
import * as v from 'valibot'
import { BystanderError } from '../bystander-error.ts'
import { silentLogger } from '../logger.ts'
import { ArtifactCache } from './artifact-cache.ts'
import type { ArtifactSource } from './artifact-source.ts'

const root = mkdtempSync(join(tmpdir(), 'oriel-cache-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))

const sha256Of = (text: string) => new Bun.CryptoHasher('sha256').update(text).digest('hex')

/** A store of texts, and how often each was asked for. */
class Texts implements ArtifactSource {
  readonly asked: string[] = []
  readonly #texts = new Map<string, string>()
  awayFor = 0

  constructor(...texts: readonly string[]) {
    for (const text of texts) this.put(text)
  }

  put(text: string, sha256 = sha256Of(text)): void {
    this.#texts.set(sha256, text)
  }

  async open(sha256: string): Promise<ReadableStream<Uint8Array> | undefined> {
    this.asked.push(this.#texts.get(sha256) ?? 'unknown')
    if (this.awayFor-- > 0) throw new Error('connection refused')
    const text = this.#texts.get(sha256)
    return text === undefined ? undefined : new Blob([text]).stream()
  }
}

const model = (name: string, files: Readonly<Record<string, string>>): Manifest =>
  v.parse(Manifest, {
    name,
    version: '1',
    engine: 'tensor',
    files: Object.entries(files).map(([path, text]) => ({ path, sha256: sha256Of(text), bytes: text.length })),
    limits: { timeoutMs: 1_000, maxBatch: 1, concurrency: 1 },
  })

let folders = 0
const newDir = () => join(root, String(++folders))
const open = (source: ArtifactSource, maxBytes = 1_000, dir = newDir()) =>
  ArtifactCache.open({ dir, maxBytes, source, logger: silentLogger })

/** What a model's folder has, or why it has nothing. */
async function read(cache: ArtifactCache, manifest: Manifest) {
  try {
    const release = await cache.hold(manifest)
    const dir = cache.dirOf(manifest)
    const texts = manifest.files.map(({ path }) => readFileSync(join(dir, path), 'utf8'))
    release()
    return texts
  } catch (error) {
    const { kind, detail } = toProblem(error)
    return { kind, detail, free: error instanceof BystanderError }
  }
}

test('the files of a model are brought once, however many want them, and one that two models have lies there once', async () => {
  const source = new Texts('graph', 'weights', 'other')
  const cache = await open(source)
  const a = model('a', { 'model.onnx': 'graph', 'data/weights.bin': 'weights' })
  const b = model('b', { 'model.onnx': 'other', 'weights.bin': 'weights' })
  const read1 = await Promise.all([read(cache, a), read(cache, a), read(cache, b)])
  expect(read1).toEqual([
    ['graph', 'weights'],
    ['graph', 'weights'],
    ['other', 'weights'],
  ])
  expect(source.asked.sort()).toEqual(['graph', 'other', 'weights'])
  expect(cache.bytes).toBe('graphweightsother'.length)
})

test('what was used longest ago makes room, with the folders that link to it; what is held does not', async () => {
  const texts = ['a', 'b', 'c', 'd'].map((letter) => letter.repeat(40))
  const source = new Texts(...texts)
  const cache = await open(source, 100)
  const [a, b, c, d] = texts.map((text) => model(`model-${text[0]}`, { 'model.onnx': text }))
  if (!a || !b || !c || !d) throw new Error('four models')
  const release = await cache.hold(a)
  await read(cache, b)
  await read(cache, c)
  expect([a, b, c].map((one) => existsSync(cache.dirOf(one)))).toEqual([true, false, true])
  release()
  await read(cache, c)
  await read(cache, d)
  expect([a, c, d].map((one) => existsSync(cache.dirOf(one)))).toEqual([false, true, true])
  expect(cache.bytes).toBe(80)
  expect(await read(cache, a)).toEqual(['a'.repeat(40)])
})

test('a file that never fits is a problem of the model; one for which there is no room now is nobody’s fault', async () => {
  const source = new Texts('x'.repeat(101), 'y'.repeat(60), 'z'.repeat(60))
  const cache = await open(source, 100)
  const big = model('big', { 'model.onnx': 'x'.repeat(101) })
  expect(await read(cache, big)).toMatchObject({ kind: 'model-unavailable', free: false })
  const release = await cache.hold(model('y', { 'model.onnx': 'y'.repeat(60) }))
  const z = model('z', { 'model.onnx': 'z'.repeat(60) })
  expect(await read(cache, z)).toMatchObject({ kind: 'unavailable', free: true })
  release()
  expect(await read(cache, z)).toEqual(['z'.repeat(60)])
})

test('a file that is missing, shorter, longer or another is told, not kept, and asked for again', async () => {
  const source = new Texts()
  const dir = newDir()
  const cache = await open(source, 1_000, dir)
  const graph = model('m', { 'model.onnx': 'graph' })
  const wrong = ['grap', 'graphs', 'Graph']
  expect(await read(cache, graph)).toMatchObject({ kind: 'model-damaged', detail: expect.stringContaining('store') })
  for (const text of wrong) {
    source.put(text, sha256Of('graph'))
    expect(await read(cache, graph)).toMatchObject({ kind: 'model-damaged', free: false })
  }
  expect(cache.bytes).toBe(0)
  expect([...readdirSync(join(dir, 'blobs')), ...readdirSync(join(dir, 'coming'))]).toEqual([])
  source.put('graph')
  expect(await read(cache, graph)).toEqual(['graph'])
})

test('a manifest that is wrong about a size takes no file from a model that has it', async () => {
  const source = new Texts('graph')
  const cache = await open(source)
  const healthy = model('m', { 'model.onnx': 'graph' })
  const release = await cache.hold(healthy)
  const files = healthy.files.map((file) => ({ ...file, bytes: file.bytes + 1 }))
  const wrong = { ...healthy, name: 'wrong', files }
  expect(await read(cache, wrong)).toMatchObject({ kind: 'model-damaged', free: false })
  expect(readFileSync(join(cache.dirOf(healthy), 'model.onnx'), 'utf8')).toBe('graph')
  release()
  expect(await read(cache, healthy)).toEqual(['graph'])
  expect(source.asked).toEqual(['graph'])
})

test('a store that is away is asked again', async () => {
  const source = new Texts('graph')
  source.awayFor = 2
  const cache = await open(source)
  expect(await read(cache, model('m', { 'model.onnx': 'graph' }))).toEqual(['graph'])
  expect(source.asked).toHaveLength(3)
})

test('the next process takes up what is there, in its order, and finds what was damaged meanwhile', async () => {
  const dir = newDir()
  const source = new Texts('graph', 'other', 'third')
  const first = await open(source, 10, dir)
  await read(first, model('a', { 'model.onnx': 'graph' }))
  await read(first, model('b', { 'model.onnx': 'other' }))
  await read(first, model('a', { 'model.onnx': 'graph' }))
  writeFileSync(join(dir, 'coming', '1'), 'half of some file')

  const second = await open(source, 10, dir)
  expect(second.bytes).toBe(10)
  expect(readdirSync(join(dir, 'coming'))).toEqual([])
  await read(second, model('c', { 'model.onnx': 'third' }))
  expect(existsSync(join(dir, 'blobs', sha256Of('other')))).toBe(false)
  expect(source.asked).toEqual(['graph', 'other', 'third'])

  writeFileSync(join(dir, 'blobs', sha256Of('graph')), 'grapH')
  const third = await open(source, 10, dir)
  expect(await read(third, model('a', { 'model.onnx': 'graph' }))).toEqual(['graph'])
  expect(source.asked).toEqual(['graph', 'other', 'third', 'graph'])
})
