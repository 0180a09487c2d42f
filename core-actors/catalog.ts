import { DEFAULT_ALIAS, LATEST, type ModelAliases } from '@oriel/protocol/alias'
import type { KnownVersion } from '@oriel/protocol/known-version'
import type { NodeStatus } from '@oriel/protocol/node-status'
import { NODE_TTL_MS } from '@oriel/protocol/node-status'
import type { Placement } from '@oriel/protocol/placement'
import { homesOf, partitionOf } from '@oriel/protocol/placement'
import type { Problem } from '@oriel/protocol/problem'
import { modelKey } from '@oriel/protocol/subjects'
import type { Candidate } from './choose-node.ts'
import { type ModelQuery, matches } from './model-page.ts'
import type { ModelOffer } from './relay-port.ts'

/** How a node stands to a version. */
type Copy = Pick<NodeStatus['models'][number], 'state' | 'problem'>

interface HeardNode {
  readonly status: NodeStatus
  /** Of its versions, by key. */
  readonly copies: ReadonlyMap<string, Copy>
  readonly heardAt: number
}

/** What the buckets say: which models there are, which nodes live and can run them, where their jobs go. */
export class Catalog {
  /** By name, then by version. */
  readonly #models = new Map<string, Map<string, KnownVersion>>()
  readonly #aliases = new Map<string, ModelAliases>()
  #nodes = new Map<string, HeardNode>()
  /** When a node last said that it can run a version, by the node's clock. */
  #lastHeartbeats = new Map<string, number>()
  #placement: Placement = { partitions: 1, models: {} }

  /** @param key `<name>.<version>`; the key of a version that is gone comes with `undefined` */
  putManifest(key: string, manifest: KnownVersion | undefined): void {
    const [name = '', version = ''] = key.split('.')
    const versions = this.#models.get(name) ?? new Map<string, KnownVersion>()
    if (manifest) {
      this.#models.set(name, versions.set(version, manifest))
      return
    }
    versions.delete(version)
    if (versions.size === 0) this.#models.delete(name)
    this.#lastHeartbeats.delete(key)
  }

  /** @param aliases `undefined`: the model has none (any more) */
  putAliases(name: string, aliases: ModelAliases | undefined): void {
    if (aliases) this.#aliases.set(name, aliases)
    else this.#aliases.delete(name)
  }

  /** @param now when it was heard: a node's own clock is not trusted */
  putNode(name: string, status: NodeStatus | undefined, now: number): void {
    // The bucket says nothing when a key ends by itself; and nodes come and go under ever new names.
    for (const [other, { heardAt }] of this.#nodes) if (now - heardAt >= NODE_TTL_MS) this.#nodes.delete(other)
    this.#nodes.delete(name)
    if (!status) return
    const copies = new Map(status.models.map((copy) => [modelKey(copy.name, copy.version), copy]))
    this.#nodes.set(name, { status, copies, heardAt: now })
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
    return this.#live(now).map(({ status }) => status)
  }

  #live(now: number): HeardNode[] {
    return [...this.#nodes.values()].filter(({ heardAt }) => now - heardAt < NODE_TTL_MS)
  }

  /** Every model, by name. */
  offers(now: number): ModelOffer[] {
    return [...this.#models.keys()].sort().flatMap((name) => this.offer(name, now) ?? [])
  }

  /** Some of them. @returns whether there are more */
  page({ q, after, limit }: ModelQuery, now: number): { offers: ModelOffer[]; more: boolean } {
    const names = [...this.#models.keys()].filter((name) => after === undefined || name > after).sort()
    const found: string[] = []
    for (const name of names) {
      if (found.length > limit) break
      if (matches(name, this.#models.get(name)?.values() ?? [], q)) found.push(name)
    }
    const offers = found.slice(0, limit).flatMap((name) => this.offer(name, now) ?? [])
    return { offers, more: found.length > limit }
  }

  /**
   * @param wanted a version, an alias or `latest`; none is the alias `production` if it is set, else `latest`: the latest
   *   that a live node can run, one that is deprecated after all that are not; or the latest of all when none can run any
   */
  offer(name: string, now: number, wanted?: string): ModelOffer | undefined {
    const aliases = this.#aliases.get(name) ?? {}
    const version = meant(aliases, wanted)
    const nodes = this.#live(now)
    const known = [...(this.#models.get(name)?.values() ?? [])].sort((a, b) => Number(b.version) - Number(a.version))
    const versions = known.map((one) => one.version).reverse()
    const able = known.filter((one) => version === LATEST || one.version === version)
    const inOrder = [...able.filter((one) => !one.deprecated), ...able.filter((one) => one.deprecated)]
    const offers = inOrder.map((one) => ({ ...this.#offerOf(one, nodes), versions, aliases }))
    return offers.find(({ nodes }) => nodes > 0) ?? offers[0]
  }

  /** The live nodes that answer predictions of a version. */
  candidates(name: string, version: string, now: number): Candidate[] {
    const homes = homesOf(this.#placement, this.partitionOf(name))
    const candidates: Candidate[] = []
    for (const node of this.#live(now)) {
      const copy = this.#copy(node, name, version)
      if (node.status.mode !== 'serving' || !copy || copy.state === 'unavailable') continue
      candidates.push({
        node: node.status.node,
        home: homes.includes(node.status.node),
        loaded: copy.state === 'loaded',
      })
    }
    return candidates
  }

  /** Whether a live node takes jobs for this version. */
  serves(name: string, version: string, now: number): boolean {
    return this.#live(now).some((node) => {
      const copy = this.#copy(node, name, version)
      return node.status.mode !== 'draining' && copy !== undefined && copy.state !== 'unavailable'
    })
  }

  /** Live nodes that have a version of a model in memory. @param version any unless given */
  nodesWith(name: string, version: string | undefined, now: number): string[] {
    const isMeant = (model: NodeStatus['models'][number]) =>
      model.name === name && model.state === 'loaded' && model.version === (version ?? model.version)
    return this.liveNodes(now).flatMap(({ node, models }) => (models.some(isMeant) ? [node] : []))
  }

  /** `undefined`: the node has nothing to do with it. Versions of the registry that it could load it need not name. */
  #copy(node: HeardNode, name: string, version: string): Copy | undefined {
    const copy = node.copies.get(modelKey(name, version))
    const fetches = node.status.registry && this.#models.get(name)?.get(version)?.registered
    return copy ?? (fetches ? { state: 'available' } : undefined)
  }

  #offerOf(known: KnownVersion, nodes: readonly HeardNode[]): Omit<ModelOffer, 'versions' | 'aliases'> {
    const { registered: _, deprecated: __, ...manifest } = known
    const { name, version } = known
    const copies = nodes.flatMap((node) => this.#copy(node, name, version) ?? [])
    const able = copies.filter(({ state }) => state !== 'unavailable').length
    const problem = copies.find(({ state }) => state === 'unavailable')?.problem
    const lastHeartbeat = this.#lastHeartbeats.get(modelKey(name, version))
    return {
      manifest,
      nodes: able,
      ...(lastHeartbeat !== undefined && { lastHeartbeat }),
      ...(able === 0 && problem && { problem }),
    }
  }

  /** What nodes say is wrong with a model that none could announce. */
  complaint(name: string, now: number): Problem | undefined {
    const copies = this.liveNodes(now).flatMap(({ models }) => models)
    return copies.find((model) => model.name === name && model.state === 'unavailable')?.problem
  }
}

/** The version that a reference means, or `latest`. */
function meant(aliases: ModelAliases, wanted: string | undefined): string {
  if (wanted === undefined) return aliases[DEFAULT_ALIAS] ?? LATEST
  // The reference is the caller's, who may call it `constructor`.
  return (Object.hasOwn(aliases, wanted) ? aliases[wanted] : undefined) ?? wanted
}
