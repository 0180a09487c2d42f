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

  /** @param version a number, an alias or `latest`; else what the bare name means. @throws ProblemError unavailable */
  async offer(model: string, now: number, version?: string): Promise<ModelOffer | undefined> {
    const key = version === undefined ? model : `${model}@${version}`
    const known = this.#known.get(key)
    if (known && now - known.at < FRESH_MS) return known.offer
    const outcome = await this.#relay().model(model, version)
    if (!outcome.ok) throw new ProblemError(outcome.problem)
    if (this.#known.size >= MAX_MODELS) this.#known.clear()
    if (outcome.offer) this.#known.set(key, { offer: outcome.offer, at: now })
    else this.#known.delete(key)
    return outcome.offer
  }
}
