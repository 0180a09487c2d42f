import { copyFileSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { counterModel } from '@oriel/gpu-node/engines/testing/models'
import { onnxBytes } from '@oriel/gpu-node/engines/testing/onnx-bytes'

/** A folder of models in Triton's layout, as a person puts it together. */
export class Folder implements Disposable {
  readonly path = mkdtempSync(join(tmpdir(), 'oriel-serve-'))

  /** y = x + `plus`, of rows of two numbers. */
  adder(name: string, version: number, plus: number): this {
    const port = (tensor: string) => ({ name: tensor, type: 'float32', shape: ['n', 2] }) as const
    return this.write(
      `${name}/${version}/model.onnx`,
      onnxBytes({
        inputs: [port('x')],
        outputs: [port('y')],
        weights: [{ name: 'plus', dims: [], values: new Float32Array([plus]) }],
        nodes: [{ op: 'Add', inputs: ['x', 'plus'], outputs: ['y'] }],
      }),
    )
  }

  /** Counts to its input, which takes as long as a test wants: an hour is about 3e9. */
  counter(name: string): this {
    const elsewhere = mkdtempSync(join(tmpdir(), 'oriel-counter-'))
    const { dir } = counterModel(elsewhere)
    mkdirSync(join(this.path, name, '1'), { recursive: true })
    copyFileSync(join(dir, 'model.onnx'), join(this.path, name, '1/model.onnx'))
    rmSync(elsewhere, { recursive: true })
    return this
  }

  /** At once, as a careful person would: a graph that is half there is nobody's. */
  write(path: string, content: Uint8Array | string): this {
    const file = join(this.path, path)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(`${file}.new`, content)
    renameSync(`${file}.new`, file)
    return this
  }

  remove(path: string): this {
    rmSync(join(this.path, path), { recursive: true })
    return this
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true })
  }
}

/** Input of an adder: one row. */
export const row = (a: number, b: number) => [{ name: 'x', datatype: 'FP32', shape: [1, 2], data: [a, b] }]
/** Input of a counter. */
export const times = (count: number) => [{ name: 'times', datatype: 'INT64', shape: [], data: [count] }]

export const AN_HOUR = 3_000_000_000
/** About a second. */
export const A_WHILE = 800_000

export async function dataOf(response: Response): Promise<unknown[]> {
  const { outputs } = await response.json()
  return outputs[0].data
}
