import type { Manifest } from '@oriel/protocol/manifest'
import type { Clock } from './clock.ts'
import type { Logger } from './logger.ts'
import type { NodeRegistry } from './node-registry.ts'

const TRY_AGAIN_MS = 2_000

export interface AnnouncerOptions {
  readonly registry: NodeRegistry
  readonly manifests: readonly Manifest[]
  readonly clock: Clock
  readonly logger: Logger
}

/** Makes this node's models known, and goes on trying while the broker does not take them. */
export class Announcer {
  readonly #options: AnnouncerOptions
  #round = 0
  #cancel = () => {}

  constructor(options: AnnouncerOptions) {
    this.#options = options
  }

  /** From the first model on; a round that is under way ends. */
  run(): void {
    void this.#announce(++this.#round, this.#options.manifests)
  }

  stop(): void {
    this.#round++
    this.#cancel()
  }

  async #announce(round: number, manifests: readonly Manifest[]): Promise<void> {
    const { registry, clock, logger } = this.#options
    this.#cancel()
    for (const [index, manifest] of manifests.entries()) {
      if (round !== this.#round) return
      try {
        await registry.announce(manifest)
      } catch (cause) {
        if (round !== this.#round) return
        logger.warn('a model could not be announced', { name: manifest.name, version: manifest.version, cause })
        this.#cancel = clock.setTimer(TRY_AGAIN_MS, () => void this.#announce(round, manifests.slice(index)))
        return
      }
    }
  }
}
