import { expect, test } from 'bun:test'
import { KnownVersion } from '@oriel/protocol/known-version'
import { NODE_TTL_MS, type NodeStatus } from '@oriel/protocol/node-status'
import * as v from 'valibot'
import { Cluster, GRACE_MS } from './cluster.ts'
import { Volumes } from './volumes.ts'

const known = (name: string, version = '1', registered = false): KnownVersion =>
  v.parse(KnownVersion, {
    name,
    version,
    engine: 'tensor',
    files: [{ path: 'model.onnx', sha256: '0'.repeat(64), bytes: 1_000 * Number(version) }],
    limits: { timeoutMs: 1_000, maxBatch: 0, concurrency: 1 },
    ...(registered && { registered }),
  })
type Copy = NodeStatus['models'][number]
const copy = (name: string, version: string, state: Copy['state']): Copy => ({ name, version, state })
const node = (name: string, models: Copy[] = [], more: Partial<NodeStatus> = {}): NodeStatus => ({
  node: name,
  pid: 1,
  startedAt: 0,
  lastHeartbeat: 0,
  mode: 'serving',
  slots: 4,
  busy: 0,
  hosts: [],
  models,
  ...more,
})

function clusterOf(versions: KnownVersion[], nodes: NodeStatus[]): Cluster {
  const cluster = new Cluster()
  for (const version of versions) cluster.putVersion(`${version.name}.${version.version}`, version)
  for (const status of nodes) cluster.putNode(status.node, status, 0)
  return cluster
}
const lacks = (cluster: Cluster) => cluster.nodes(0).map(({ name, lacks }) => [name, [...lacks]])

test('a model weighs what its latest version weighs', () => {
  const cluster = clusterOf([known('iris', '10'), known('iris', '9')], [])
  expect(cluster.models(new Volumes(1_000), 0)).toEqual([{ name: 'iris', volume: 0, bytes: 10_000 }])
  cluster.putVersion('iris.10', undefined)
  expect(cluster.models(new Volumes(1_000), 0)[0]?.bytes).toBe(9_000)
  cluster.putVersion('iris.9', undefined)
  expect(cluster.models(new Volumes(1_000), 0)).toEqual([])
})

test('a node lacks a model that only another has in its folder', () => {
  const cluster = clusterOf([known('iris')], [node('a', [copy('iris', '1', 'available')]), node('b')])
  expect(lacks(cluster)).toEqual([
    ['a', []],
    ['b', ['iris']],
  ])
})

test('what is registered can be fetched by any node that knows the registry, unless it says that it cannot run it', () => {
  const registry = { registry: true }
  const broken = node('c', [copy('iris', '1', 'unavailable')], registry)
  const cluster = clusterOf([known('iris', '1', true)], [node('a', [], registry), node('b'), broken])
  expect(lacks(cluster)).toEqual([
    ['a', []],
    ['b', ['iris']],
    ['c', ['iris']],
  ])
})

test('the version that counts is the latest that anybody can run; of one that nobody can, nobody lacks it', () => {
  const nodes = [node('a', [copy('iris', '1', 'loaded'), copy('iris', '2', 'unavailable')]), node('b')]
  expect(lacks(clusterOf([known('iris'), known('iris', '2')], nodes))).toEqual([
    ['a', []],
    ['b', ['iris']],
  ])
  expect(lacks(clusterOf([known('fox')], nodes)).flatMap(([, lacks]) => lacks)).toEqual([])
})

test('a node that is silent, draining, or cut off and not heard again is not counted on', () => {
  const cluster = clusterOf([], [node('a'), node('b', [], { mode: 'draining' })])
  const names = (now: number) => cluster.serving(now).map((status) => status.node)
  expect(names(NODE_TTL_MS - 1)).toEqual(['a'])
  expect(names(NODE_TTL_MS)).toEqual([])
  cluster.putNode('a', node('a'), 20_000)
  expect(cluster.disconnected('a', 21_000)).toBe(true)
  expect(cluster.disconnected('somebody else', 21_000)).toBe(false)
  expect(names(21_000 + GRACE_MS)).toEqual([])
  cluster.putNode('a', node('a'), 22_000)
  expect(names(22_000 + GRACE_MS)).toEqual(['a'])
})
