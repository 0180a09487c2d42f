import type { Manifest } from '@oriel/protocol/manifest'
import type { NodeStatus } from '@oriel/protocol/node-status'
import { NODE_TTL_MS } from '@oriel/protocol/node-status'
import type { Placement } from '@oriel/protocol/placement'
import { partitionOf } from '@oriel/protocol/placement'
import type { Problem } from '@oriel/protocol/problem'
import type { ModelOffer } from './relay-port.ts'

/** What the buckets say: which models there are, which nodes live and can run them, where their jobs go. */
export class Catalog {
  #manifests = new Map<string, Manifest>()
  #nodes = new Map<string, { status: NodeStatus; heardAt: number }>()
  #placement: Placement = { partitions: 1, models: {} }

  /** @param key `<name>.<version>`; the key of a version that is gone comes with `undefined` */
  putManifest(key: string, manifest: Manifest | undefined): void {
    if (manifest) this.#manifests.set(key, manifest)
    else this.#manifests.delete(key)
  }

  /** @param now when it was heard: a node's own clock is not trusted */
  putNode(name: string, status: NodeStatus | undefined, now: number): void {
    if (status) this.#nodes.set(name, { status, heardAt: now })
    else this.#nodes.delete(name)
  }

  putPlacement(placement: Placement): void {
    this.#placement = placement
  }

  clear(): void {
    this.#manifests.clear()
    this.#nodes.clear()
  }

  partitionOf(model: string): number {
    return partitionOf(this.#placement, model)
  }

  liveNodes(now: number): NodeStatus[] {
    return [...this.#nodes.values()].filter(({ heardAt }) => now - heardAt < NODE_TTL_MS).map(({ status }) => status)
  }

  /** The latest version of every model, by name. */
  offers(now: number): ModelOffer[] {
    const latest = new Map<string, Manifest>()
    for (const manifest of this.#manifests.values()) {
      const other = latest.get(manifest.name)
      if (!other || Number(manifest.version) > Number(other.version)) latest.set(manifest.name, manifest)
    }
    const nodes = this.liveNodes(now)
    return [...latest.values()].map((manifest) => offer(manifest, nodes)).sort(byName)
  }

  offer(name: string, now: number): ModelOffer | undefined {
    const versions = [...this.#manifests.values()].filter((manifest) => manifest.name === name)
    const latest = versions.sort((a, b) => Number(b.version) - Number(a.version))[0]
    return latest && offer(latest, this.liveNodes(now))
  }

  /** What nodes say is wrong with a model that none could announce. */
  complaint(name: string, now: number): Problem | undefined {
    const copies = this.liveNodes(now).flatMap(({ models }) => models)
    return copies.find((model) => model.name === name && model.state === 'unavailable')?.problem
  }
}

const byName = (a: ModelOffer, b: ModelOffer) => (a.manifest.name < b.manifest.name ? -1 : 1)

function offer(manifest: Manifest, nodes: readonly NodeStatus[]): ModelOffer {
  const copies = nodes.flatMap(({ models }) =>
    models.filter((model) => model.name === manifest.name && model.version === manifest.version),
  )
  const able = copies.filter(({ state }) => state !== 'unavailable').length
  const problem = copies.find(({ state }) => state === 'unavailable')?.problem
  return { manifest, nodes: able, ...(able === 0 && problem ? { problem } : {}) }
}
