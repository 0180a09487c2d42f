import { expect, test } from 'bun:test'
import { StateDir } from '@oriel/dev/state-dir'
import { readStatus, statusTable } from '@oriel/dev/status'
import { useStack } from '../support/stack.ts'

const stack = useStack({ models: ['damaged', 'typo'] })

test('a model that is damaged or has a typo in its manifest is told, and stands in the status', async () => {
  const lines = await stack.stack.unavailableModels()
  expect(lines).toHaveLength(2)
  expect(lines[0]).toMatch(/^model damaged 1 is unavailable on node-1: model\.onnx/)
  expect(lines[1]).toMatch(/^model typo 1 is unavailable on node-1: manifest\.json: .*timeoutMS: unknown field/)
  const status = await readStatus(new StateDir(stack.stack.stateDir))
  expect(status && statusTable(status)).toEndWith(lines.join('\n'))
})
