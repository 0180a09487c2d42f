import { atRest, decide, type Load, type ScaleSettings, type ScaleState } from './autoscale.ts'
import type { Log } from './log.ts'

/** Starts and stops nodes. */
export interface NodeExecutor {
  /**
   * Brings their number to `wanted`, as far as it can be done now: what is left is asked for again. A node that has
   * work is not stopped.
   * @param idle names of nodes that have nothing in hand
   */
  scale(wanted: number, load: Load, idle: readonly string[]): Promise<void>
}

/** Decides and has it done, one thing at a time. */
export class Autoscaler {
  readonly #settings: ScaleSettings
  readonly #executor: NodeExecutor
  readonly #log: Log
  #state: ScaleState | undefined
  #acting: Promise<void> | undefined

  constructor(settings: ScaleSettings, executor: NodeExecutor, log: Log) {
    this.#settings = settings
    this.#executor = executor
    this.#log = log
  }

  /** To be called every second or so. */
  observe(load: Load, idle: readonly string[], now: number): void {
    if (this.#acting) return
    const decision = decide(load, this.#state ?? atRest(load.nodes, now), this.#settings, now)
    this.#state = decision.state
    if (decision.nodes === load.nodes) return
    this.#log('info', 'another number of nodes is wanted', { ...load, wanted: decision.nodes })
    this.#acting = this.#executor
      .scale(decision.nodes, load, idle)
      .catch((error) => this.#log('warn', 'the number of nodes could not be changed', { error: String(error) }))
      .finally(() => {
        this.#acting = undefined
      })
  }

  /** Resolves when nothing is being changed. */
  async idle(): Promise<void> {
    await this.#acting
  }
}
