import { expect, test } from 'bun:test'
import { Manifest } from '@oriel/protocol/manifest'
import type { NodeStatus } from '@oriel/protocol/node-status'
import { NODE_TTL_MS } from '@oriel/protocol/node-status'
import { nodeStatus } from '@oriel/protocol/testing'
import * as v from 'valibot'
import { Catalog } from './catalog.ts'

const manifest = (name: string, version: string) =>
  v.parse(Manifest, {
    name,
    version,
    engine: 'text-generation',
    files: [{ path: 'model.onnx', sha256: '0'.repeat(64), bytes: 1 }],
    limits: { timeoutMs: 1_000, maxBatch: 1, concurrency: 1 },
  })

const node = (name: string, models: NodeStatus['models']) => nodeStatus(name, { models })

test('the latest version counts by number, not by spelling', () => {
  const catalog = new Catalog()
  for (const version of ['9', '10', '2']) catalog.putManifest(`m.${version}`, manifest('m', version))
  expect(catalog.offer('m', 0)?.manifest.version).toBe('10')
  expect(catalog.offers(0).map((offer) => offer.manifest.version)).toEqual(['10'])
})

test('a version that no live node can run does not stand before one that is served', () => {
  const catalog = new Catalog()
  for (const version of ['1', '2']) catalog.putManifest(`m.${version}`, manifest('m', version))
  catalog.putNode('a', node('a', [{ name: 'm', version: '1', state: 'loaded' }]), 0)
  expect(catalog.offer('m', 0)?.manifest.version).toBe('1')
  catalog.putNode('b', node('b', [{ name: 'm', version: '2', state: 'available' }]), 0)
  expect(catalog.offer('m', 0)?.manifest.version).toBe('2')
})

test('a model is offered by the nodes that live and have it whole', () => {
  const catalog = new Catalog()
  const problem = { kind: 'model-damaged', detail: 'model.onnx is not the file that the manifest names.' } as const
  catalog.putManifest('m.1', manifest('m', '1'))
  catalog.putNode('broken', node('broken', [{ name: 'm', version: '1', state: 'unavailable', problem }]), 0)
  expect(catalog.offer('m', 0)).toMatchObject({ nodes: 0, problem })
  catalog.putNode('whole', node('whole', [{ name: 'm', version: '1', state: 'loaded' }]), 0)
  expect(catalog.offer('m', 0)?.nodes).toBe(1)
  expect(catalog.offer('m', 0)?.problem).toBeUndefined()
  expect(catalog.offer('m', NODE_TTL_MS)?.nodes).toBe(0)
})

test('a model says when a node last had it whole, also when none is left; nodes that are silent are forgotten', () => {
  const catalog = new Catalog()
  catalog.putManifest('m.1', manifest('m', '1'))
  expect(catalog.offer('m', 0)?.lastHeartbeat).toBeUndefined()
  const beat = (name: string, lastHeartbeat: number, now: number) => {
    const status = node(name, [{ name: 'm', version: '1', state: 'available' }])
    catalog.putNode(name, { ...status, lastHeartbeat }, now)
  }
  beat('a', 2_000, 0)
  beat('b', 1_000, 0)
  expect(catalog.offer('m', NODE_TTL_MS)).toMatchObject({ nodes: 0, lastHeartbeat: 2_000 })
  beat('c', 3_000, NODE_TTL_MS)
  expect(catalog.lastBeat('a')).toBeUndefined()
  expect(catalog.lastBeat('c')).toEqual({ startedAt: 0, heardAt: NODE_TTL_MS })
})

test('a node that drains serves nothing any more, though it is alive', () => {
  const catalog = new Catalog()
  const status = node('a', [{ name: 'm', version: '1', state: 'loaded' }])
  catalog.putNode('a', status, 0)
  expect(catalog.serves('m', '1', 0)).toBe(true)
  expect(catalog.serves('m', '2', 0)).toBe(false)
  catalog.putNode('a', { ...status, mode: 'draining' }, 0)
  expect(catalog.serves('m', '1', 0)).toBe(false)
})

test('a model that no node could announce is not simply unknown', () => {
  const catalog = new Catalog()
  const problem = { kind: 'model-damaged', detail: 'model.onnx is missing.' } as const
  catalog.putNode('a', node('a', [{ name: 'm', version: '1', state: 'unavailable', problem }]), 0)
  expect(catalog.offer('m', 0)).toBeUndefined()
  expect(catalog.complaint('m', 0)).toEqual(problem)
  expect(catalog.complaint('other', 0)).toBeUndefined()
})

test('a model that no plan names goes to the last partition', () => {
  const catalog = new Catalog()
  catalog.putPlacement({ partitions: 4, models: { iris: 1, stale: 9 } })
  expect(['iris', 'new', 'stale', 'toString'].map((model) => catalog.partitionOf(model))).toEqual([1, 3, 3, 3])
})

test('who answers predictions: live nodes that serve the version; those of its home are known', () => {
  const catalog = new Catalog()
  const has = (state: 'available' | 'loaded' | 'unavailable') => [{ name: 'm', version: '1', state }]
  catalog.putNode('loaded', node('loaded', has('loaded')), 0)
  catalog.putNode('home', node('home', has('available')), 0)
  catalog.putNode('damaged', node('damaged', has('unavailable')), 0)
  catalog.putNode('leaving', { ...node('leaving', has('loaded')), mode: 'draining' }, 0)
  catalog.putPlacement({ partitions: 2, models: { m: 0 }, homes: [['home'], ['loaded']] })
  expect(catalog.candidates('m', '1', 0)).toEqual([
    { node: 'loaded', home: false, loaded: true },
    { node: 'home', home: true, loaded: false },
  ])
  expect(catalog.candidates('m', '2', 0)).toEqual([])
  expect(catalog.candidates('m', '1', NODE_TTL_MS)).toEqual([])
})

test('a name means the version of its alias `production`, or the latest; an alias means what it was set to', () => {
  const catalog = new Catalog()
  for (const version of ['1', '2', '3']) catalog.putManifest(`m.${version}`, manifest('m', version))
  const asked = (wanted?: string) => catalog.offer('m', 0, wanted)?.manifest.version
  expect(asked()).toBe('3')
  expect(asked('production')).toBeUndefined()
  catalog.putAliases('m', { production: '1', staging: '2' })
  expect([asked(), asked('production'), asked('staging'), asked('latest'), asked('3')]).toEqual([
    '1',
    '1',
    '2',
    '3',
    '3',
  ])
  expect(catalog.offers(0)).toMatchObject([{ versions: ['1', '2', '3'], aliases: { production: '1', staging: '2' } }])
  expect([asked('canary'), asked('constructor'), asked('4')]).toEqual([undefined, undefined, undefined])
  catalog.putAliases('m', undefined)
  expect(asked()).toBe('3')
})

test('an alias means its version also while no node can run it, and though it is deprecated', () => {
  const catalog = new Catalog()
  catalog.putManifest('m.1', { ...manifest('m', '1'), deprecated: true })
  catalog.putManifest('m.2', manifest('m', '2'))
  catalog.putAliases('m', { production: '1' })
  catalog.putNode('a', node('a', [{ name: 'm', version: '2', state: 'loaded' }]), 0)
  expect(catalog.offer('m', 0)).toMatchObject({ manifest: { version: '1' }, nodes: 0 })
})
