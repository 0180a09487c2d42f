import { jetstream } from '@nats-io/jetstream'
import { type KV, Kvm } from '@nats-io/kv'
import type { NatsConnection } from '@nats-io/nats-core'
import { ModelAliases } from '@oriel/protocol/alias'
import { ALIASES } from '@oriel/protocol/subjects'
import * as v from 'valibot'

const Entry = v.pipe(v.string(), v.parseJson(), ModelAliases)

/** The bucket in which relays find what the aliases of a model mean: all of a model's in one entry, at its name. */
export class AliasBucket {
  readonly #kv: KV

  private constructor(kv: KV) {
    this.#kv = kv
  }

  static async open(nc: NatsConnection): Promise<AliasBucket> {
    return new AliasBucket(await new Kvm(jetstream(nc)).open(ALIASES))
  }

  /** What cannot be read is as good as empty. */
  async read(): Promise<Map<string, ModelAliases>> {
    const found = new Map<string, ModelAliases>()
    for await (const entry of await this.#kv.history()) {
      if (entry.operation !== 'PUT') continue
      const aliases = v.safeParse(Entry, entry.string())
      found.set(entry.key, aliases.success ? aliases.output : {})
    }
    return found
  }

  async put(model: string, aliases: ModelAliases): Promise<void> {
    await this.#kv.put(model, JSON.stringify(aliases))
  }

  async drop(model: string): Promise<void> {
    await this.#kv.delete(model)
  }
}
