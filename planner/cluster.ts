import type { Manifest } from '@oriel/protocol/manifest'
import { NODE_TTL_MS, type NodeStatus } from '@oriel/protocol/node-status'
import type { NodeCapacity } from './homes.ts'
import type { ModelLoad } from './model-load.ts'
import type { Volumes } from './volumes.ts'

/** A node whose connection has ended has so long to be heard again. */
export const GRACE_MS = 500

/** Which models and nodes there are, as the buckets tell it. */
export class Cluster {
  readonly #manifests = new Map<string, Manifest>()
  readonly #nodes = new Map<string, { status: NodeStatus; until: number }>()

  /** @param key `<name>.<version>`; of one that is gone, `undefined` */
  putManifest(key: string, manifest: Manifest | undefined): void {
    if (manifest) this.#manifests.set(key, manifest)
    else this.#manifests.delete(key)
  }

  /** @param heardAt by our clock: a node's own is not trusted */
  putNode(name: string, status: NodeStatus | undefined, heardAt: number): void {
    if (status) this.#nodes.set(name, { status, until: heardAt + NODE_TTL_MS })
    else this.#nodes.delete(name)
  }

  /** The broker says that the connection of this name has ended. @returns whether it was a node's */
  disconnected(name: string, now: number): boolean {
    const node = this.#nodes.get(name)
    if (node) node.until = Math.min(node.until, now + GRACE_MS)
    return node !== undefined
  }

  /** Nodes that take jobs. */
  serving(now: number): NodeStatus[] {
    const alive = [...this.#nodes.values()].filter(({ until }) => now < until).map(({ status }) => status)
    return alive.filter(({ mode }) => mode === 'serving').sort((a, b) => (a.node < b.node ? -1 : 1))
  }

  /** Every model by name, with what the latest version weighs. */
  models(volumes: Volumes, now: number): ModelLoad[] {
    const latest = new Map<string, Manifest>()
    for (const manifest of this.#manifests.values()) {
      const known = latest.get(manifest.name)
      if (!known || Number(manifest.version) > Number(known.version)) latest.set(manifest.name, manifest)
    }
    return [...latest.values()].map(({ name, files }) => ({
      name,
      volume: volumes.of(name, now),
      bytes: files.reduce((sum, { bytes }) => sum + bytes, 0),
    }))
  }

  nodes(now: number): NodeCapacity[] {
    return this.serving(now).map(({ node, models }) => ({
      name: node,
      capacity: 1,
      residents: new Set(models.filter(({ state }) => state === 'loaded').map(({ name }) => name)),
      lacks: new Set(models.filter(({ state }) => state === 'unavailable').map(({ name }) => name)),
    }))
  }

  /** Another one when there is something new to plan for, besides volumes. */
  signature(now: number): string {
    const names = [...new Set([...this.#manifests.values()].map(({ name }) => name))].sort()
    const nodes = this.nodes(now).map(({ name, lacks }) => [name, [...lacks].sort()])
    return JSON.stringify([names, nodes])
  }
}
