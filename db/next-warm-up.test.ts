import { expect, test } from 'bun:test'
import type { NodeStatus } from '@oriel/protocol/node-status'
import { nodeStatus } from '@oriel/protocol/testing'
import fc from 'fast-check'
import { nextWarmUp } from './next-warm-up.ts'

const change = { model: 'm', alias: 'production', from: '1', to: '2', turn: 1, registered: true } as const
const node = (name: string, loaded: readonly string[], fields: Partial<NodeStatus> = {}) =>
  nodeStatus(name, {
    registry: true,
    models: loaded.map((version) => ({ name: 'm', version, state: 'loaded' as const })),
    ...fields,
  })

test('homes and those who have the old version are warmed up one after the other, and nobody else', () => {
  const first = [node('home', []), node('old', ['1']), node('other', [])]
  expect(nextWarmUp(change, { statuses: first, homes: ['home'] })).toEqual({ kind: 'node', node: 'home' })
  const second = [node('home', ['2']), node('old', ['1']), node('other', [])]
  expect(nextWarmUp(change, { statuses: second, homes: ['home'] })).toEqual({ kind: 'node', node: 'old' })
  const third = [node('home', ['2']), node('old', ['1', '2']), node('other', [])]
  expect(nextWarmUp(change, { statuses: third, homes: ['home'] })).toEqual({ kind: 'done' })
})

test('a model that is nowhere is warmed up by one node', () => {
  expect(nextWarmUp(change, { statuses: [node('a', []), node('b', [])], homes: [] })).toEqual({
    kind: 'node',
    node: 'a',
  })
  expect(nextWarmUp(change, { statuses: [node('a', []), node('b', ['2'])], homes: [] })).toEqual({ kind: 'done' })
})

test('a node that leaves, or cannot have the version, is not waited for; with none of them nothing is done', () => {
  const leaving = node('leaving', ['1'], { mode: 'draining' })
  expect(nextWarmUp(change, { statuses: [leaving], homes: ['leaving'] })).toEqual({ kind: 'nobody' })
  const announced = { ...change, registered: false }
  expect(nextWarmUp(announced, { statuses: [node('a', ['1'])], homes: [] })).toEqual({ kind: 'nobody' })
  expect(nextWarmUp(change, { statuses: [], homes: ['gone'] })).toEqual({ kind: 'nobody' })
})

test('whatever is loaded where, warming up whom it names comes to an end, with the version wherever requests go', () => {
  const names = ['a', 'b', 'c', 'd']
  const world = fc.record({
    loaded: fc.array(fc.subarray(['1', '2', '3']), { minLength: 4, maxLength: 4 }),
    homes: fc.subarray(names),
  })
  fc.assert(
    fc.property(world, ({ loaded, homes }) => {
      const statuses = names.map((name, at) => node(name, loaded[at] ?? []))
      for (let step = 0; step <= names.length; step++) {
        const next = nextWarmUp(change, { statuses, homes })
        if (next.kind === 'done') break
        if (next.kind !== 'node') throw new Error('there are nodes')
        const at = names.indexOf(next.node)
        loaded[at] = [...(loaded[at] ?? []), '2']
        statuses[at] = node(next.node, loaded[at] ?? [])
      }
      expect(nextWarmUp(change, { statuses, homes })).toEqual({ kind: 'done' })
      expect(loaded.some((versions) => versions.includes('2'))).toBe(true)
      names.forEach((name, at) => {
        if (homes.includes(name) || loaded[at]?.includes('1')) expect(loaded[at]).toContain('2')
      })
    }),
  )
})
