import type { Placement } from '@oriel/protocol/placement'
import type { PlanEntry } from '../plan-store.ts'
import type { PlanPort } from '../planner.ts'
import type { Volumes } from '../volumes.ts'

/** The plan with its revisions, as the bucket keeps them. */
export class MemoryPlanPort implements PlanPort {
  entry: PlanEntry
  readonly written: Placement[] = []
  #measured: Volumes.Stored = []

  constructor(plan: Placement) {
    this.entry = { plan, revision: 1 }
  }

  async read(): Promise<PlanEntry> {
    return this.entry
  }

  async write(plan: Placement, revision: number): Promise<number | undefined> {
    if (revision !== this.entry.revision) return undefined
    this.entry = { plan, revision: revision + 1 }
    this.written.push(plan)
    return this.entry.revision
  }

  async measured(): Promise<Volumes.Stored> {
    return this.#measured
  }

  async keep(measured: Volumes.Stored): Promise<void> {
    this.#measured = measured
  }
}
