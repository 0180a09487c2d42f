import type { KV } from '@nats-io/kv'
import { Placement } from '@oriel/protocol/placement'
import { MEASURED, PLAN } from '@oriel/protocol/subjects'
import * as v from 'valibot'
import { unlessOverwritten } from './kv-lease-store.ts'
import type { Volumes } from './volumes.ts'

const StoredPlan = v.pipe(v.string(), v.parseJson(), Placement)
const Measured = v.pipe(v.string(), v.parseJson(), v.array(v.tuple([v.string(), v.number(), v.number()])))

export interface PlanEntry {
  readonly plan: Placement
  readonly revision: number
}

/** The plan in its bucket, and beside it what was measured for it. */
export class PlanStore {
  readonly #placement: KV
  readonly #volumes: KV

  constructor(placement: KV, volumes: KV) {
    this.#placement = placement
    this.#volumes = volumes
  }

  /** `undefined`: there is none, or none that can be read. */
  async read(): Promise<PlanEntry | undefined> {
    const entry = await this.#placement.get(PLAN)
    if (entry?.operation !== 'PUT') return undefined
    const parsed = v.safeParse(StoredPlan, entry.string())
    return parsed.success ? { plan: parsed.output, revision: entry.revision } : undefined
  }

  /**
   * Puts a plan in force in place of the one that was read.
   * @returns its revision, `undefined` when there is another one by now
   */
  write(plan: Placement, revision: number): Promise<number | undefined> {
    return unlessOverwritten(() => this.#placement.update(PLAN, JSON.stringify(plan), revision))
  }

  async measured(): Promise<Volumes.Stored> {
    const entry = await this.#volumes.get(MEASURED)
    if (entry?.operation !== 'PUT') return []
    const parsed = v.safeParse(Measured, entry.string())
    return parsed.success ? parsed.output : []
  }

  async keep(measured: Volumes.Stored): Promise<void> {
    const short = measured.map(([model, weight, at]) => [model, Number(weight.toPrecision(4)), at])
    await this.#volumes.put(MEASURED, JSON.stringify(short))
  }
}
