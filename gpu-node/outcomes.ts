import type { Dead } from '@oriel/protocol/dead'
import type { Ended } from '@oriel/protocol/fact'

/** Where finished requests go besides their log. Both may be told again: the broker keeps each once. */
export interface Outcomes {
  ended(facts: readonly Ended[], signal: AbortSignal): Promise<void>
  /** @param key tells this death from others of the same request */
  dead(model: string, id: string, key: string, entry: Dead, signal: AbortSignal): Promise<void>
}
