import type { LocalModel } from '../../model-runner.ts'
import { onnxBytes, type PortDef } from './onnx-bytes.ts'
import { writeModel } from './test-model.ts'

/** Counts up to `times` one at a time, so a run lasts as long as a test wants: an hour is about 3e9. */
export function counterModel(
  root: string,
  limits: { hangMs?: number; attempts?: number } = {},
  name = 'counter',
): LocalModel {
  const scalar = (port: string, type: PortDef['type']): PortDef => ({ name: port, type, shape: [] })
  const bytes = onnxBytes({
    inputs: [scalar('times', 'int64')],
    outputs: [scalar('count', 'int64')],
    weights: [
      { name: 'zero', dims: [], values: new BigInt64Array([0n]) },
      { name: 'one', dims: [], values: new BigInt64Array([1n]) },
    ],
    nodes: [
      {
        op: 'Loop',
        inputs: ['times', '', 'zero'],
        outputs: ['count'],
        attributes: {
          body: {
            inputs: [scalar('iteration', 'int64'), scalar('go', 'bool'), scalar('sum', 'int64')],
            outputs: [scalar('goOn', 'bool'), scalar('next', 'int64')],
            nodes: [
              { op: 'Identity', inputs: ['go'], outputs: ['goOn'] },
              { op: 'Add', inputs: ['sum', 'one'], outputs: ['next'] },
            ],
          },
        },
      },
    ],
  })
  return writeModel(
    root,
    {
      name,
      engine: 'tensor',
      inputs: [{ name: 'times', datatype: 'INT64', shape: [] }],
      outputs: [{ name: 'count', datatype: 'INT64', shape: [] }],
      limits: { timeoutMs: 60_000, maxBatch: 0, concurrency: 8, ...limits },
    },
    { 'model.onnx': bytes },
  )
}
