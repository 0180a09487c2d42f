import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { counterModel } from '@oriel/gpu-node/engines/testing/models'
import { onnxBytes, type PortDef } from '@oriel/gpu-node/engines/testing/onnx-bytes'
import { writeModel } from '@oriel/gpu-node/engines/testing/test-model'

/** The folder of the bundled models. */
export const BUNDLED = join(import.meta.dir, '../../models')

/** Gives back the number itself, if it knows as many; asked for another it throws. @param fields of its manifest */
export function moodyModel(dir: string, knows: number, fields: object = {}): void {
  const port = (name: string): PortDef => ({ name, type: 'int64', shape: [] })
  const values = BigInt64Array.from({ length: knows }, (_, at) => BigInt(at))
  const bytes = onnxBytes({
    inputs: [port('x')],
    outputs: [port('y')],
    weights: [{ name: 'known', dims: [knows], values }],
    nodes: [{ op: 'Gather', inputs: ['known', 'x'], outputs: ['y'] }],
  })
  writeModel(
    dir,
    {
      name: 'moody',
      engine: 'tensor',
      inputs: [{ name: 'x', datatype: 'INT64', shape: [] }],
      outputs: [{ name: 'y', datatype: 'INT64', shape: [] }],
      limits: { timeoutMs: 60_000, maxBatch: 0, concurrency: 8, attempts: 2 },
      ...fields,
    },
    { 'model.onnx': bytes },
  )
}

const EXTRA = {
  /** Counts to its input: a model that says nothing until it is done, for as long as a test wants. */
  counter: (dir: string) => void counterModel(dir, { hangMs: 60_000 }),
  /** Ends its host when it counts for longer than two seconds, and has three attempts. */
  poison: (dir: string) => void counterModel(dir, { hangMs: 2_000, attempts: 3 }, 'poison'),
  /** Needs four bytes for each of `size`, at once; has two attempts. */
  hungry: (dir: string) => {
    const bytes = onnxBytes({
      inputs: [{ name: 'size', type: 'int64', shape: [1] }],
      outputs: [{ name: 'sum', type: 'float32', shape: [] }],
      weights: [{ name: 'one', dims: [], values: new Float32Array([1]) }],
      nodes: [
        { op: 'Expand', inputs: ['one', 'size'], outputs: ['many'] },
        { op: 'ReduceSum', inputs: ['many'], outputs: ['sum'], attributes: { keepdims: 0 } },
      ],
    })
    writeModel(
      dir,
      {
        name: 'hungry',
        engine: 'tensor',
        inputs: [{ name: 'size', datatype: 'INT64', shape: [1] }],
        outputs: [{ name: 'sum', datatype: 'FP32', shape: [] }],
        limits: { timeoutMs: 60_000, maxBatch: 0, concurrency: 1, attempts: 2 },
      },
      { 'model.onnx': bytes },
    )
  },
  /** A byte of its file is not the one that was signed. */
  damaged: (dir: string) => {
    counterModel(dir, {}, 'damaged')
    const file = join(dir, 'damaged/1/model.onnx')
    const bytes = readFileSync(file)
    bytes.writeUInt8(bytes.readUInt8(bytes.length - 1) ^ 1, bytes.length - 1)
    writeFileSync(file, bytes)
  },
  /** Throws, twice for each request, until it is mended. */
  moody: (dir: string) => moodyModel(dir, 1),
  /** Gives back as many numbers as it is given. */
  wide: (dir: string) => {
    const port = (name: string): PortDef => ({ name, type: 'float64', shape: ['n'] })
    const bytes = onnxBytes({
      inputs: [port('x')],
      outputs: [port('y')],
      nodes: [{ op: 'Identity', inputs: ['x'], outputs: ['y'] }],
    })
    writeModel(
      dir,
      {
        name: 'wide',
        engine: 'tensor',
        inputs: [{ name: 'x', datatype: 'FP64', shape: [-1] }],
        outputs: [{ name: 'y', datatype: 'FP64', shape: [-1] }],
        limits: { timeoutMs: 60_000, maxBatch: 0, concurrency: 1 },
      },
      { 'model.onnx': bytes },
    )
  },
  /** Its manifest says `timeoutMS`. */
  typo: (dir: string) => {
    counterModel(dir, {}, 'typo')
    const file = join(dir, 'typo/1/manifest.json')
    writeFileSync(file, readFileSync(file, 'utf8').replace('"timeoutMs"', '"timeoutMS"'))
  },
} as const
export type ExtraModel = keyof typeof EXTRA

/** A folder with the bundled models and some more. */
export function modelsWith(dir: string, extra: readonly ExtraModel[]): string {
  mkdirSync(dir, { recursive: true })
  for (const name of ['iris', 'sentiment', 'storyteller'])
    cpSync(join(BUNDLED, name), join(dir, name), { recursive: true })
  for (const name of extra) EXTRA[name](dir)
  return dir
}
