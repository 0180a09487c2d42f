import type { ModelOffer, RelayPort } from '@oriel/core-actors/relay-port'
import { ProblemError } from '@oriel/protocol/problem'

/** How long an isolate trusts what a relay said of a model. A model that was not there is asked for again at once. */
const FRESH_MS = 2_000
const MAX_MODELS = 10_000

/** What models there are, without a call for every request. */
export class ModelCache {
  readonly #relay: () => RelayPort
  readonly #known = new Map<string, { offer: ModelOffer; at: number }>()

  constructor(relay: () => RelayPort) {
    this.#relay = relay
  }

  /** @throws ProblemError unavailable */
  async offer(model: string, now: number): Promise<ModelOffer | undefined> {
    const known = this.#known.get(model)
    if (known && now - known.at < FRESH_MS) return known.offer
    const outcome = await this.#relay().model(model)
    if (!outcome.ok) throw new ProblemError(outcome.problem)
    if (this.#known.size >= MAX_MODELS) this.#known.clear()
    if (outcome.offer) this.#known.set(model, { offer: outcome.offer, at: now })
    else this.#known.delete(model)
    return outcome.offer
  }
}
