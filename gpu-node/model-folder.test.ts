import { afterAll, expect, test } from 'bun:test'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { writeModel } from './engines/testing/test-model.ts'
import { scanModels } from './model-folder.ts'

const roots: string[] = []
const newRoot = () => {
  const root = mkdtempSync(join(tmpdir(), 'oriel-models-'))
  roots.push(root)
  return root
}
afterAll(() => {
  for (const root of roots) rmSync(root, { recursive: true })
})

const FILES = { 'model.onnx': 'a graph', 'parts/labels.json': '["yes","no"]' }
const write = (root: string, name = 'good', version = '1') =>
  writeModel(root, { name, version, engine: 'tensor' }, FILES)

/** The problem of the only version that has one, beside a version that is fine. */
async function problemAfter(spoil: (dir: string) => void) {
  const root = newRoot()
  write(root)
  spoil(write(root, 'bad', '2').dir)
  const { models, problems } = await scanModels(root)
  expect(models.map((model) => model.manifest.name)).toEqual(['good'])
  expect(problems).toHaveLength(1)
  expect(problems[0]).toMatchObject({ name: 'bad', version: '2' })
  return problems[0]?.problem
}

const edit = (dir: string, change: (text: string) => string) => {
  const path = join(dir, 'manifest.json')
  writeFileSync(path, change(readFileSync(path, 'utf8')))
}

test('every version of every model is found, with an absolute folder', async () => {
  const root = newRoot()
  write(root, 'one', '1')
  const two = [write(root, 'two', '1'), write(root, 'two', '12')]
  mkdirSync(join(root, 'recipes'))
  mkdirSync(join(root, 'two', '__pycache__'))
  writeFileSync(join(root, 'README.md'), '')
  const { models, problems, ignored } = await scanModels(root)
  expect(models.map(({ manifest }) => `${manifest.name}/${manifest.version}`)).toEqual(['one/1', 'two/1', 'two/12'])
  expect(models[2]).toEqual(two[1])
  expect([problems, ignored]).toEqual([[], []])
})

test('a typo in a manifest is told with the field, and the other models are served', async () => {
  const problem = await problemAfter((dir) => edit(dir, (text) => text.replace('maxBatch', 'maxBacth')))
  expect(problem?.kind).toBe('model-unavailable')
  expect(problem?.detail).toStartWith('manifest.json: ')
  expect(problem?.detail).toContain('limits.maxBacth: unknown field')
  expect(problem?.detail).toContain('limits.maxBatch: missing')
})

test.each<[name: string, spoil: (dir: string) => void, kind: string, detail: string]>([
  ['JSON that is none', (dir) => edit(dir, (text) => text.slice(1)), 'model-unavailable', 'not JSON'],
  [
    'another name',
    (dir) => edit(dir, (text) => text.replace('"bad"', '"good"')),
    'model-unavailable',
    'folder of "bad"',
  ],
  ['another version', (dir) => edit(dir, (text) => text.replace('"2"', '"3"')), 'model-unavailable', 'folder of "2"'],
  ['no manifest', (dir) => rmSync(join(dir, 'manifest.json')), 'model-damaged', 'manifest.json: missing'],
  ['no file', (dir) => rmSync(join(dir, 'model.onnx')), 'model-damaged', 'model.onnx: missing'],
  [
    'a file that is cut short',
    (dir) => writeFileSync(join(dir, 'model.onnx'), 'a gr'),
    'model-damaged',
    'model.onnx: 7 bytes expected, 4 found',
  ],
  [
    'a flipped bit',
    (dir) => writeFileSync(join(dir, 'parts/labels.json'), '["yes","nO"]'),
    'model-damaged',
    'parts/labels.json: SHA-256 ',
  ],
])('a version with %s is a problem of its own', async (_name, spoil, kind, detail) => {
  const problem = await problemAfter(spoil)
  expect(problem?.kind).toBe(kind as 'model-damaged')
  expect(problem?.detail).toContain(detail)
})

test('a folder that no request could name is told, not served', async () => {
  const root = newRoot()
  mkdirSync(join(root, 'My Model', '1'), { recursive: true })
  writeFileSync(join(root, 'My Model', '1', 'manifest.json'), '{}')
  mkdirSync(join(root, 'good', 'v1'), { recursive: true })
  writeFileSync(join(root, 'good', 'v1', 'manifest.json'), '{}')
  const { models, problems, ignored } = await scanModels(root)
  expect([models, problems]).toEqual([[], []])
  expect(ignored).toEqual([
    { path: 'My Model/1', reason: '"My Model" is not a model name' },
    { path: 'good/v1', reason: '"v1" is not a version number' },
  ])
})

test('a models folder that is not there is one clear problem', async () => {
  const error = await scanModels('/nowhere/models').catch((error) => error)
  expect(error.problem).toEqual({
    kind: 'model-unavailable',
    detail: 'The models folder /nowhere/models cannot be read.',
  })
})
