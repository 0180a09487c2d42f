import type { LocalModel } from '../../model-runner.ts'
import { onnxBytes } from './onnx-bytes.ts'
import { writeModel } from './test-model.ts'

/** y = x · 0 + 1, of rows of `width` numbers: a graph of 4 · width² bytes. */
export function heavyModel(root: string, name: string, width: number): LocalModel {
  const bytes = onnxBytes({
    inputs: [{ name: 'x', type: 'float32', shape: ['n', width] }],
    outputs: [{ name: 'y', type: 'float32', shape: ['n', width] }],
    weights: [
      { name: 'w', dims: [width, width], values: new Float32Array(width * width) },
      { name: 'one', dims: [], values: new Float32Array([1]) },
    ],
    nodes: [
      { op: 'MatMul', inputs: ['x', 'w'], outputs: ['zero'] },
      { op: 'Add', inputs: ['zero', 'one'], outputs: ['y'] },
    ],
  })
  return writeModel(
    root,
    {
      name,
      engine: 'tensor',
      inputs: [{ name: 'x', datatype: 'FP32', shape: [width] }],
      outputs: [{ name: 'y', datatype: 'FP32', shape: [width] }],
      limits: { timeoutMs: 60_000, maxBatch: 8, concurrency: 8 },
    },
    { 'model.onnx': bytes },
  )
}
