import type { Manifest } from '@oriel/protocol/manifest'
import type { NodeStatus } from '@oriel/protocol/node-status'
import { NODE_TTL_MS } from '@oriel/protocol/node-status'
import type { Placement } from '@oriel/protocol/placement'
import { homesOf, partitionOf } from '@oriel/protocol/placement'
import type { Problem } from '@oriel/protocol/problem'
import { modelKey } from '@oriel/protocol/subjects'
import type { Candidate } from './choose-node.ts'
import type { ModelOffer } from './relay-port.ts'

interface HeardNode {
  readonly status: NodeStatus
  /** Of its versions, by key. */
  readonly states: ReadonlyMap<string, NodeStatus['models'][number]['state']>
  readonly heardAt: number
}

/** What the buckets say: which models there are, which nodes live and can run them, where their jobs go. */
export class Catalog {
  #manifests = new Map<string, Manifest>()
  #nodes = new Map<string, HeardNode>()
  /** When a node last said that it can run a version, by the node's clock. */
  #lastHeartbeats = new Map<string, number>()
  #placement: Placement = { partitions: 1, models: {} }

  /** @param key `<name>.<version>`; the key of a version that is gone comes with `undefined` */
  putManifest(key: string, manifest: Manifest | undefined): void {
    if (manifest) this.#manifests.set(key, manifest)
    else {
      this.#manifests.delete(key)
      this.#lastHeartbeats.delete(key)
    }
  }

  /** @param now when it was heard: a node's own clock is not trusted */
  putNode(name: string, status: NodeStatus | undefined, now: number): void {
    // The bucket says nothing when a key ends by itself; and nodes come and go under ever new names.
    for (const [other, { heardAt }] of this.#nodes) if (now - heardAt >= NODE_TTL_MS) this.#nodes.delete(other)
    this.#nodes.delete(name)
    if (!status) return
    const states = new Map(status.models.map(({ name, version, state }) => [modelKey(name, version), state]))
    this.#nodes.set(name, { status, states, heardAt: now })
    for (const { name: model, version, state } of status.models) {
      if (state !== 'unavailable') this.#beat(modelKey(model, version), status.lastHeartbeat)
    }
  }

  #beat(key: string, at: number): void {
    this.#lastHeartbeats.set(key, Math.max(at, this.#lastHeartbeats.get(key) ?? 0))
  }

  /** The last that was heard of a node, and when. */
  lastBeat(name: string): { startedAt: number; heardAt: number } | undefined {
    const node = this.#nodes.get(name)
    return node && { startedAt: node.status.startedAt, heardAt: node.heardAt }
  }

  putPlacement(placement: Placement): void {
    this.#placement = placement
  }

  partitionOf(model: string): number {
    return partitionOf(this.#placement, model)
  }

  liveNodes(now: number): NodeStatus[] {
    return [...this.#nodes.values()].filter(({ heardAt }) => now - heardAt < NODE_TTL_MS).map(({ status }) => status)
  }

  /** Every model, by name. */
  offers(now: number): ModelOffer[] {
    const names = new Set([...this.#manifests.values()].map(({ name }) => name))
    return [...names].sort().flatMap((name) => this.offer(name, now) ?? [])
  }

  /** @param version that is meant; else the latest that a live node can run, or the latest of all when none can run any */
  offer(name: string, now: number, version?: string): ModelOffer | undefined {
    const nodes = this.liveNodes(now)
    const manifests = [...this.#manifests.values()]
      .filter((manifest) => manifest.name === name)
      .sort((a, b) => Number(b.version) - Number(a.version))
    const versions = manifests.map((manifest) => manifest.version).reverse()
    const offers = manifests
      .filter((manifest) => manifest.version === (version ?? manifest.version))
      .map((manifest) => ({
        ...offer(manifest, nodes, this.#lastHeartbeats.get(modelKey(name, manifest.version))),
        versions,
      }))
    return offers.find(({ nodes }) => nodes > 0) ?? offers[0]
  }

  /** The live nodes that answer predictions of a version. */
  candidates(name: string, version: string, now: number): Candidate[] {
    const key = modelKey(name, version)
    const homes = homesOf(this.#placement, this.partitionOf(name))
    const candidates: Candidate[] = []
    for (const [node, { status, states, heardAt }] of this.#nodes) {
      const state = states.get(key)
      if (now - heardAt >= NODE_TTL_MS || status.mode !== 'serving' || !state || state === 'unavailable') continue
      candidates.push({ node, home: homes.includes(node), loaded: state === 'loaded' })
    }
    return candidates
  }

  /** Whether a live node takes jobs for this version. */
  serves(name: string, version: string, now: number): boolean {
    return this.liveNodes(now).some(
      ({ mode, models }) =>
        mode !== 'draining' &&
        models.some((model) => model.name === name && model.version === version && model.state !== 'unavailable'),
    )
  }

  /** What nodes say is wrong with a model that none could announce. */
  complaint(name: string, now: number): Problem | undefined {
    const copies = this.liveNodes(now).flatMap(({ models }) => models)
    return copies.find((model) => model.name === name && model.state === 'unavailable')?.problem
  }
}

function offer(
  manifest: Manifest,
  nodes: readonly NodeStatus[],
  lastHeartbeat: number | undefined,
): Omit<ModelOffer, 'versions'> {
  const copies = nodes.flatMap(({ models }) =>
    models.filter((model) => model.name === manifest.name && model.version === manifest.version),
  )
  const able = copies.filter(({ state }) => state !== 'unavailable').length
  const problem = copies.find(({ state }) => state === 'unavailable')?.problem
  return {
    manifest,
    nodes: able,
    ...(lastHeartbeat !== undefined && { lastHeartbeat }),
    ...(able === 0 && problem && { problem }),
  }
}
