import type { NatsConnection } from '@nats-io/nats-core'
import { volumeSubject } from '@oriel/protocol/subjects'
import type { Volume } from '@oriel/protocol/volume'

/** How many requests each model had since the planner was last told. */
export class Asked {
  #counts = new Map<string, number>()

  /** One more. */
  for(model: string): void {
    this.#counts.set(model, (this.#counts.get(model) ?? 0) + 1)
  }

  /** Tells the planner, if there is anything to tell. What nobody hears is lost: a rate does not need every request. */
  tell(connection: Pick<NatsConnection, 'publish'>, shard: number): void {
    if (this.#counts.size === 0) return
    const volume: Volume = { shard, counts: Object.fromEntries(this.#counts) }
    this.#counts = new Map()
    connection.publish(volumeSubject(shard), JSON.stringify(volume))
  }
}
