import { afterAll, expect, test } from 'bun:test'
import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { readTree } from './model-tree.ts'

const roots: string[] = []
afterAll(() => {
  for (const root of roots) rmSync(root, { recursive: true })
})

function tree(files: Record<string, string>): string {
  const root = mkdtempSync(join(tmpdir(), 'oriel-tree-'))
  roots.push(root)
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), text)
  }
  return root
}

const stampOf = async (root: string) => (await readTree(root)).versions[0]?.stamp

test('versions are found by what lies in them', async () => {
  const root = tree({
    'Net_1/1/model.onnx': '',
    'Net_1/12/model.onnx': '',
    'iris/3/manifest.json': '',
    'iris/3/model.onnx': '',
    'torch/1/model.pt': '',
    'torch/01/model.onnx': '',
    'torch/__pycache__/x': '',
    'README.md': '',
  })
  const { versions, notes } = await readTree(root)
  expect(versions.map(({ name, version, kind }) => [name, version, kind])).toEqual([
    ['Net_1', '1', 'graph'],
    ['Net_1', '12', 'graph'],
    ['iris', '3', 'manifest'],
    ['torch', '1', 'neither'],
  ])
  expect(versions[0]?.dir).toBe(join(root, 'Net_1', '1'))
  expect(notes).toEqual([])
  expect((await readTree(root, 'iris')).versions.map(({ name }) => name)).toEqual(['iris'])
})

test('what is in the wrong place is told with the right one', async () => {
  const { versions, notes } = await readTree(
    tree({ 'net.onnx': '', 'net/model.onnx': '', 'my net/1/model.onnx': '', 'other/x': '' }),
  )
  expect(versions).toEqual([])
  expect(notes).toEqual([
    'my net: not a name for a model; letters, digits, - and _ are',
    'net: has a graph but no version; move it to net/1/model.onnx',
    'net.onnx: not in a model’s folder; move it to <name>/1/model.onnx',
  ])
})

test.each([
  ['max_batch_size: 16', 16],
  ['name: "net"\n  max_batch_size : 0\ninput [ { dims: [ 4 ] } ]', 0],
  ['platform: "onnxruntime_onnx"', undefined],
])('of Triton’s configuration %j, what it says of batches is read', async (text, maxBatch) => {
  const { versions, notes } = await readTree(tree({ 'net/config.pbtxt': text, 'net/1/model.onnx': '' }))
  expect(versions.map((version) => version.maxBatch)).toEqual([maxBatch])
  expect(notes).toEqual(['net/config.pbtxt: only its max_batch_size is read'])
})

test('the stamp changes when a file does, and only then', async () => {
  const root = tree({ 'net/1/model.onnx': 'a', 'net/1/weights/w.bin': 'b' })
  const first = await stampOf(root)
  expect(await stampOf(root)).toBe(first)
  utimesSync(join(root, 'net/1/weights/w.bin'), 1, 1)
  const second = await stampOf(root)
  expect(second).not.toBe(first)
  writeFileSync(join(root, 'net/1/more'), '')
  expect(await stampOf(root)).not.toBe(second)
})

test('a folder that cannot be read is one clear problem', async () => {
  expect(readTree('/nowhere/models')).rejects.toThrow('The models folder /nowhere/models cannot be read.')
})
