import { isDeepStrictEqual } from 'node:util'
import { jetstream } from '@nats-io/jetstream'
import { type KV, Kvm } from '@nats-io/kv'
import type { Manifest } from '@oriel/protocol/manifest'
import type { NodeStatus } from '@oriel/protocol/node-status'
import { MODELS, modelKey, NODES } from '@oriel/protocol/subjects'
import type { NatsLink } from './nats-link.ts'
import type { NodeRegistry } from './node-registry.ts'

const TIMEOUT_MS = 2_000

export class KvNodeRegistry implements NodeRegistry {
  readonly #link: NatsLink
  readonly #nodes: KV
  readonly #models: KV

  private constructor(link: NatsLink, nodes: KV, models: KV) {
    this.#link = link
    this.#nodes = nodes
    this.#models = models
  }

  /** Asks nothing of the broker: the buckets are those of `protocol/streams.ts`, which allow direct reads. */
  static async open(link: NatsLink): Promise<KvNodeRegistry> {
    const kvm = new Kvm(jetstream(link.nc, { timeout: TIMEOUT_MS }))
    const open = (bucket: string) => kvm.open(bucket, { allow_direct: true })
    return new KvNodeRegistry(link, await open(NODES), await open(MODELS))
  }

  async beat(status: NodeStatus): Promise<void> {
    await this.#link.during(() => this.#nodes.put(status.node, JSON.stringify(status)))
  }

  async leave(node: string): Promise<void> {
    await this.#link.during(() => this.#nodes.delete(node))
  }

  async announce(manifest: Manifest): Promise<void> {
    const key = modelKey(manifest.name, manifest.version)
    const known = await this.#link.during(() => this.#models.get(key))
    const value: unknown = known?.operation === 'PUT' ? JSON.parse(known.string()) : undefined
    if (isRegistered(value)) return // the registry says what it is
    // As JSON, because a field that is `undefined` here is absent there.
    if (isDeepStrictEqual(value, JSON.parse(JSON.stringify(manifest)))) return
    await this.#link.during(() => this.#models.put(key, JSON.stringify(manifest)))
  }
}

const isRegistered = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && 'registered' in value && value.registered === true
