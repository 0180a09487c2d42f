import type { Dead } from '@oriel/protocol/dead'
import type { Ended } from '@oriel/protocol/fact'
import type { Outcomes } from './outcomes.ts'

export class MemoryOutcomes implements Outcomes {
  readonly facts = new Map<string, Ended>()
  readonly deaths = new Map<string, Dead>()

  async ended(facts: readonly Ended[]): Promise<void> {
    for (const fact of facts) this.facts.set(`${fact.id}.${fact.part}`, fact)
  }

  async dead(_model: string, id: string, key: string, entry: Dead): Promise<void> {
    this.deaths.set(`${id}.${key}`, entry)
  }
}
