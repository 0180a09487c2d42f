import { expect, test } from 'bun:test'
import type { ServedModel } from '@oriel/oip/port'
import { sampleCommand } from './sample-request.ts'

const model: ServedModel = {
  name: 'm',
  version: '1',
  versions: ['1'],
  platform: '',
  inputs: [],
  outputs: [],
  maxBatch: 8,
}
/** What a shell would send, with `curl` showing its body. */
async function bodyOf(inputs: ServedModel['inputs'], maxBatch = 8) {
  const command = sampleCommand('http://h:1', { ...model, inputs, maxBatch })
  const show = 'curl() { [ "$3" = @- ] && cat || printf %s "$3"; }'
  return JSON.parse(await Bun.$`sh -c ${`${show}; ${command}`}`.text())
}

test('the command sends one row of zeros, of every input, with names that a shell would read', async () => {
  expect(
    await bodyOf([
      { name: "it's $HOME", datatype: 'FP32', shape: [2, -1] },
      { name: 'b', datatype: 'BOOL', shape: [] },
      { name: 't', datatype: 'BYTES', shape: [2] },
    ]),
  ).toEqual({
    inputs: [
      { name: "it's $HOME", datatype: 'FP32', shape: [1, 2, 1], data: [0, 0] },
      { name: 'b', datatype: 'BOOL', shape: [1], data: [false] },
      { name: 't', datatype: 'BYTES', shape: [1, 2], data: ['', ''] },
    ],
  })
})

test('values that are too many for a command line are made by the shell', async () => {
  const inputs: ServedModel['inputs'] = [
    { name: 'x', datatype: 'FP32', shape: [3, 224, 224] },
    { name: 't', datatype: 'BYTES', shape: [2] },
  ]
  const { inputs: sent } = await bodyOf(inputs, 0)
  expect(sampleCommand('http://h:1', { ...model, inputs }).length).toBeLessThan(500)
  expect(sent[0].data).toEqual(Array(3 * 224 * 224).fill(0))
  expect(sent[1]).toEqual({ name: 't', datatype: 'BYTES', shape: [2], data: ['', ''] })
})
