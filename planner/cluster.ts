import type { KnownVersion } from '@oriel/protocol/known-version'
import { NODE_TTL_MS, type NodeStatus } from '@oriel/protocol/node-status'
import { modelKey } from '@oriel/protocol/subjects'
import type { NodeCapacity } from './homes.ts'
import type { ModelLoad } from './model-load.ts'
import type { Volumes } from './volumes.ts'

/** A node whose connection has ended has so long to be heard again. */
export const GRACE_MS = 500

/** Which models and nodes there are, as the buckets tell it. */
export class Cluster {
  /** By model, the latest version first. */
  readonly #models = new Map<string, KnownVersion[]>()
  readonly #nodes = new Map<string, { status: NodeStatus; until: number }>()

  /** @param key `<name>.<version>`; of one that is gone, `undefined` */
  putVersion(key: string, known: KnownVersion | undefined): void {
    const name = key.slice(0, key.lastIndexOf('.'))
    const others = (this.#models.get(name) ?? []).filter((other) => modelKey(other.name, other.version) !== key)
    const versions = known ? [...others, known] : others
    if (versions.length === 0) this.#models.delete(name)
    else
      this.#models.set(
        name,
        versions.sort((a, b) => Number(b.version) - Number(a.version)),
      )
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

  /** Every model by name, with what its latest version weighs. */
  models(volumes: Volumes, now: number): ModelLoad[] {
    return [...this.#models].map(([name, [latest]]) => ({
      name,
      volume: volumes.of(name, now),
      bytes: latest?.files.reduce((sum, { bytes }) => sum + bytes, 0) ?? 0,
    }))
  }

  nodes(now: number): NodeCapacity[] {
    const copies = this.serving(now).map((status) => new Copies(status))
    const lacks = new Map(copies.map(({ node }) => [node, new Set<string>()]))
    for (const [name, versions] of this.#models) {
      // What is asked of a model is the latest version that anybody can run.
      const latest = versions.find((version) => copies.some((node) => node.canRun(version)))
      if (latest) for (const node of copies) if (!node.canRun(latest)) lacks.get(node.node)?.add(name)
    }
    return copies.map(({ node, residents }) => ({
      name: node,
      capacity: 1,
      residents,
      lacks: lacks.get(node) ?? new Set(),
    }))
  }

  /** Another one when there is something new to plan for, besides volumes. */
  signature(now: number): string {
    const names = [...this.#models.keys()].sort()
    const nodes = this.nodes(now).map(({ name, lacks }) => [name, [...lacks].sort()])
    return JSON.stringify([names, nodes])
  }
}

/** What a node says of the versions that it has. */
class Copies {
  readonly node: string
  readonly residents = new Set<string>()
  readonly #hasRegistry: boolean
  readonly #states = new Map<string, NodeStatus['models'][number]['state']>()

  constructor({ node, registry = false, models }: NodeStatus) {
    this.node = node
    this.#hasRegistry = registry
    for (const { name, version, state } of models) {
      this.#states.set(modelKey(name, version), state)
      if (state === 'loaded') this.residents.add(name)
    }
  }

  /** It is on its disk, or it can be fetched. */
  canRun({ name, version, registered }: KnownVersion): boolean {
    const state = this.#states.get(modelKey(name, version))
    return state === undefined ? registered === true && this.#hasRegistry : state !== 'unavailable'
  }
}
