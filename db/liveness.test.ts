import { expect, test } from 'bun:test'
import type { NodeStatus } from '@oriel/protocol/node-status'
import { NODE_TTL_MS } from '@oriel/protocol/node-status'
import { nodeStatus } from '@oriel/protocol/testing'
import { Liveness } from './liveness.ts'

const status = (node: string, ...models: NodeStatus['models']) => nodeStatus(node, { models })
const whole = { name: 'm', version: '1', state: 'loaded' } as const

test('who has just begun to listen calls nobody silent', () => {
  const liveness = new Liveness()
  expect(liveness.alive(NODE_TTL_MS)).toBeUndefined()
  liveness.listens(0)
  expect(liveness.alive(NODE_TTL_MS - 1)).toBeUndefined()
  expect(liveness.alive(NODE_TTL_MS)).toEqual({ nodes: [], versions: [] })
  liveness.deaf()
  expect(liveness.alive(2 * NODE_TTL_MS)).toBeUndefined()
})

test('a node is alive as long as it is heard, and so are the versions that it has whole', () => {
  const liveness = new Liveness()
  liveness.listens(0)
  liveness.sawNode(status('a', whole, { name: 'm', version: '2', state: 'unavailable' }), 5_000)
  liveness.sawNode(status('b', whole), NODE_TTL_MS)
  expect(liveness.alive(NODE_TTL_MS)).toEqual({ nodes: ['a', 'b'], versions: ['m.1'] })
  expect(liveness.alive(NODE_TTL_MS + 5_000)).toEqual({ nodes: ['b'], versions: ['m.1'] })
  expect(liveness.alive(2 * NODE_TTL_MS)).toEqual({ nodes: [], versions: [] })
})
