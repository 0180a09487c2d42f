import { expect, test } from 'bun:test'
import type { NodeStatus } from '@oriel/protocol/node-status'
import { nodeStatus } from '@oriel/protocol/testing'
import { unavailableModels } from './unavailable-models.ts'

const node = (name: string, models: NodeStatus['models']) => nodeStatus(name, { models })

test('a model that cannot be served has one line, with its problem and every node that has it', () => {
  const problem = { kind: 'model-unavailable', detail: 'manifest.json: limits.timeoutMS: unknown field.' } as const
  const typo = { name: 'typo', version: '1', state: 'unavailable', problem } as const
  const whole = { name: 'iris', version: '1', state: 'loaded' } as const
  expect(unavailableModels([node('node-1', [whole, typo]), node('node-2', [typo])])).toEqual([
    'model typo 1 is unavailable on node-1, node-2: manifest.json: limits.timeoutMS: unknown field.',
  ])
})
