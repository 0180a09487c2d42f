import { jetstream } from '@nats-io/jetstream'
import { type KV, Kvm } from '@nats-io/kv'
import type { NatsConnection } from '@nats-io/nats-core'
import { KnownVersion } from '@oriel/protocol/known-version'
import { MODELS } from '@oriel/protocol/subjects'
import * as v from 'valibot'
import type { Changes } from './projection.ts'

/** The bucket in which relays and nodes find the versions there are. */
export class ModelsBucket {
  readonly #kv: KV

  private constructor(kv: KV) {
    this.#kv = kv
  }

  static async open(nc: NatsConnection): Promise<ModelsBucket> {
    return new ModelsBucket(await new Kvm(jetstream(nc)).open(MODELS))
  }

  /** All that it holds now. What cannot be read is as good as not there. */
  async read(): Promise<Map<string, KnownVersion>> {
    const found = new Map<string, KnownVersion>()
    const entries = await this.#kv.history()
    for await (const entry of entries) {
      const known = entry.operation === 'PUT' ? v.safeParse(Entry, entry.string()) : undefined
      if (known?.success) found.set(entry.key, known.output)
    }
    return found
  }

  async apply({ put, drop }: Changes): Promise<void> {
    for (const { key, known } of put) await this.#kv.put(key, JSON.stringify(known))
    for (const key of drop) await this.#kv.delete(key)
  }
}

const Entry = v.pipe(v.string(), v.parseJson(), KnownVersion)
