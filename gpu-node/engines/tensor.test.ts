import { afterAll, expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DATATYPES, type Datatype, type ManifestInput } from '@oriel/protocol/manifest'
import { ProblemError } from '@oriel/protocol/problem'
import fc from 'fast-check'
import * as v from 'valibot'
import { tensorEngine } from './tensor.ts'
import { ORT_TYPES } from './tensor-codec.ts'
import { inferItem } from './testing/infer-item.ts'
import { type GraphDef, onnxBytes } from './testing/onnx-bytes.ts'
import { writeModel } from './testing/test-model.ts'

const root = mkdtempSync(join(tmpdir(), 'oriel-tensor-'))
afterAll(() => rmSync(root, { recursive: true }))

async function load(graph: GraphDef | Uint8Array, fields: Partial<ManifestInput>) {
  const bytes = graph instanceof Uint8Array ? graph : onnxBytes(graph)
  const model = writeModel(root, { engine: 'tensor', ...fields }, { 'model.onnx': bytes })
  const session = await tensorEngine.load(model, { threads: 1 })
  return { ...session, item: (input: unknown) => inferItem(model, session, input) }
}

const identity = (datatype: Datatype, shape: readonly (number | string)[]): GraphDef => ({
  inputs: [{ name: 'x', type: ORT_TYPES[datatype], shape }],
  outputs: [{ name: 'y', type: ORT_TYPES[datatype], shape }],
  nodes: [{ op: 'Identity', inputs: ['x'], outputs: ['y'] }],
})

const echo = async ({ item }: Awaited<ReturnType<typeof load>>, x: unknown) =>
  v.parse(v.object({ y: v.unknown() }), await item({ x })).y

const problemOf = (error: unknown) => (error instanceof ProblemError ? error.problem : undefined)

const VALUES = {
  BOOL: [true, false],
  UINT8: [0, 255],
  UINT16: [0, 65_535],
  UINT32: [0, 4_294_967_295],
  UINT64: [7, '18446744073709551615'],
  INT8: [-128, 127],
  INT16: [-32_768, 32_767],
  INT32: [-2_147_483_648, 2_147_483_647],
  INT64: [-7, '-9223372036854775808'],
  FP16: [0.5, -65_504],
  FP32: [0.5, -16_777_216],
  FP64: [0.1, 1e300],
  BYTES: ['', 'zwei 😀'],
} as const satisfies Record<Datatype, readonly unknown[]>

test.each([...DATATYPES])('%s goes through a graph and comes back as it went', async (datatype) => {
  const spec = { datatype, shape: [2] }
  const session = await load(identity(datatype, ['n', 2]), {
    inputs: [{ name: 'x', ...spec }],
    outputs: [{ name: 'y', ...spec }],
  })
  expect(await echo(session, VALUES[datatype])).toEqual([...VALUES[datatype]])
  await session.dispose()
})

test('a 64-bit integer is a number where a double holds it and a decimal string where not', async () => {
  const session = await load(identity('INT64', ['n', 3]), { inputs: [{ name: 'x', datatype: 'INT64', shape: [3] }] })
  const sent = ['12', Number.MAX_SAFE_INTEGER, '9007199254740993']
  expect(await echo(session, sent)).toEqual([12, Number.MAX_SAFE_INTEGER, '9007199254740993'])
})

test('a graph without a batch dimension gets and gives tensors as they are, scalars too', async () => {
  const limits = { timeoutMs: 1000, maxBatch: 0, concurrency: 1 }
  const session = await load(identity('FP32', []), { limits, inputs: [{ name: 'x', datatype: 'FP32', shape: [] }] })
  expect(await echo(session, 2.5)).toBe(2.5)
})

test('a scalar of each row loses the batch dimension', async () => {
  const session = await load(identity('FP32', ['n']), { inputs: [{ name: 'x', datatype: 'FP32', shape: [] }] })
  expect(await echo(session, 2.5)).toBe(2.5)
})

test('an item of any shape keeps it', async () => {
  const session = await load(identity('INT32', ['n', 'a', 'b', 2]), {
    inputs: [{ name: 'x', datatype: 'INT32', shape: [-1, -1, 2] }],
  })
  const int = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })
  const item = fc
    .tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 4 }))
    .chain(([a, b]) =>
      fc.array(fc.array(fc.tuple(int, int), { minLength: b, maxLength: b }), { minLength: a, maxLength: a }),
    )
  await fc.assert(
    fc.asyncProperty(item, async (x) => expect(await echo(session, x)).toEqual(x)),
    { numRuns: 50 },
  )
})

test('NaN and the infinities, which JSON cannot say, become null', async () => {
  const graph: GraphDef = {
    inputs: [{ name: 'x', type: 'float32', shape: ['n', 3] }],
    outputs: [{ name: 'y', type: 'float32', shape: ['n', 3] }],
    nodes: [{ op: 'Div', inputs: ['x', 'zero'], outputs: ['y'] }],
    weights: [{ name: 'zero', dims: [1], values: new Float32Array([0]) }],
  }
  const session = await load(graph, { inputs: [{ name: 'x', datatype: 'FP32', shape: [3] }] })
  expect(await echo(session, [0, 1, -1])).toEqual([null, null, null])
})

test('only declared outputs are asked for', async () => {
  const graph: GraphDef = {
    inputs: [{ name: 'x', type: 'float32', shape: ['n', 1] }],
    outputs: [
      { name: 'y', type: 'float32', shape: ['n', 1] },
      { name: 'z', type: 'float32', shape: ['n', 1] },
    ],
    nodes: [
      { op: 'Identity', inputs: ['x'], outputs: ['y'] },
      { op: 'Neg', inputs: ['x'], outputs: ['z'] },
    ],
  }
  const x = { name: 'x', datatype: 'FP32' as const, shape: [1] }
  const all = await load(graph, { inputs: [x] })
  expect(await all.item({ x: [3] })).toEqual({ y: [3], z: [-3] })
  const one = await load(graph, { inputs: [x], outputs: [{ ...x, name: 'z' }] })
  expect(await one.item({ x: [3] })).toEqual({ z: [-3] })
})

test.each<[name: string, fields: Partial<ManifestInput>, detail: string]>([
  ['an input that the graph lacks', { inputs: [{ name: 'a', datatype: 'FP32', shape: [2] }] }, 'no input "a"'],
  ['no declaration of an input', { inputs: [] }, 'the graph wants "x"'],
  [
    'an output that the graph lacks',
    { inputs: [{ name: 'x', datatype: 'FP32', shape: [2] }], outputs: [{ name: 'a', datatype: 'FP32', shape: [] }] },
    'no output "a"; it has "y"',
  ],
  ['another type', { inputs: [{ name: 'x', datatype: 'INT64', shape: [2] }] }, 'float32 in the graph, not int64'],
  ['another shape', { inputs: [{ name: 'x', datatype: 'FP32', shape: [3] }] }, 'shape [n, 2] in the graph'],
])('a manifest with %s is refused at load', async (_name, fields, detail) => {
  const error = await load(identity('FP32', ['n', 2]), fields).catch((e) => e)
  expect(problemOf(error)).toEqual({ kind: 'model-unavailable', detail: expect.stringContaining(detail) })
})

test('a file that is no graph is a problem of the model, and shows no path of ours', async () => {
  const error = await load(Buffer.from('not a graph'), {}).catch((e) => e)
  expect(problemOf(error)?.kind).toBe('model-unavailable')
  expect(problemOf(error)?.detail).toStartWith('model.onnx: ')
  expect(problemOf(error)?.detail).not.toContain(root)
})

test('an input of another shape is the caller’s mistake', async () => {
  const session = await load(identity('FP32', ['n', 2]), { inputs: [{ name: 'x', datatype: 'FP32', shape: [2] }] })
  const error = await session.item({ x: [1, 2, 3] }).catch((e) => e)
  expect(problemOf(error)?.kind).toBe('input-mismatch')
})

test('what the runtime refuses while it runs is inference-failed', async () => {
  const graph: GraphDef = {
    inputs: [{ name: 'x', type: 'float32', shape: ['n', 'any'] }],
    outputs: [{ name: 'y', type: 'float32', shape: ['n', 2] }],
    nodes: [{ op: 'Add', inputs: ['x', 'two'], outputs: ['y'] }],
    weights: [{ name: 'two', dims: [2], values: new Float32Array([1, 2]) }],
  }
  const session = await load(graph, { inputs: [{ name: 'x', datatype: 'FP32', shape: [-1] }] })
  const error = await session.item({ x: [1, 2, 3] }).catch((e) => e)
  expect(problemOf(error)?.kind).toBe('inference-failed')
  expect(problemOf(error)?.detail).toContain('Add')
})
