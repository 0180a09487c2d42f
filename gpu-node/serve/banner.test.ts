import { expect, test } from 'bun:test'
import { modelTable } from './banner.ts'

const tensors = { inputs: [], outputs: [], versions: [], platform: '' }

test('the table shows inputs and outputs by their items, n for rows and ? for any size', () => {
  const model = {
    ...tensors,
    name: 'iris',
    version: '1',
    inputs: [{ name: 'features', datatype: 'FP32' as const, shape: [4, -1] }],
    outputs: [{ name: 'label', datatype: 'BYTES' as const, shape: [] }],
    maxBatch: 8,
  }
  expect(
    modelTable([
      { name: 'iris', version: '1', remark: '', model },
      { name: 'broken', version: '12', remark: 'not served: a reason that is long enough for two columns' },
    ]).split('\n'),
  ).toEqual([
    '  model   version  inputs                outputs',
    '  iris    1        features FP32[n,4,?]  label BYTES[n]',
    '  broken  12       not served: a reason that is long enough for two columns',
  ])
})

test('a long list is cut, and says so', () => {
  const rows = Array.from({ length: 30 }, (_, index) => ({ name: `m${index}`, version: '1', remark: '' }))
  expect(modelTable(rows).split('\n').at(-1)).toBe('  … and 10 more')
})
