import type { Placement } from '@oriel/protocol/placement'
import type { Cluster } from './cluster.ts'
import type { Log } from './log.ts'
import { plan } from './plan.ts'
import type { PlanEntry } from './plan-store.ts'
import { Volumes } from './volumes.ts'

/** Between two times that what was measured is kept for the next planner. */
const KEEP_MS = 30_000
/** Between two looks at whether somebody else has written the plan: an operator may. */
const LOOK_MS = 3_000

/** Where the plan and the volumes are, as `PlanStore` has them. */
export interface PlanPort {
  read(): Promise<PlanEntry | undefined>
  write(plan: Placement, revision: number): Promise<number | undefined>
  measured(): Promise<Volumes.Stored>
  keep(measured: Volumes.Stored): Promise<void>
}

export interface PlannerOptions {
  readonly store: PlanPort
  readonly cluster: Cluster
  readonly term: number
  readonly everyMs: number
  readonly halfLifeMs: number
  readonly log: Log
}

/**
 * The planner for as long as it holds the lease. It begins by writing the plan anew under its term: from then on every
 * write of an earlier one is refused, whenever it wakes up.
 */
export class Planner {
  readonly #options: PlannerOptions
  readonly #volumes: Volumes
  #entry: PlanEntry
  #seen = ''
  #planned: string | undefined
  #plannedAt = Number.NEGATIVE_INFINITY
  #keptAt: number
  #lookedAt: number

  /** @throws Error when there is no plan: whoever prepares the broker writes the first */
  static async begin(options: PlannerOptions, now: number): Promise<Planner> {
    const { store, term } = options
    const volumes = new Volumes(options.halfLifeMs, await store.measured())
    for (;;) {
      const entry = await store.read()
      if (!entry) throw new Error('There is no plan in the placement bucket yet.')
      const ours = { ...entry.plan, term }
      const revision = await store.write(ours, entry.revision)
      // Somebody was faster: one that has lost its lease and did not know, or an operator.
      if (revision !== undefined) return new Planner(options, volumes, { plan: ours, revision }, now)
    }
  }

  private constructor(options: PlannerOptions, volumes: Volumes, entry: PlanEntry, now: number) {
    this.#options = options
    this.#volumes = volumes
    this.#entry = entry
    this.#keptAt = now
    this.#lookedAt = now
  }

  get placement(): Placement {
    return this.#entry.plan
  }

  asked(counts: Readonly<Record<string, number>>, now: number): void {
    for (const [model, requests] of Object.entries(counts)) this.#volumes.add(model, requests, now)
  }

  /**
   * To be called every second or so: plans when nodes or models have changed and are the same for two calls, or when
   * the last plan is old.
   * @returns false: somebody else has written the plan, and this one must stop or begin anew
   */
  async tick(now: number): Promise<boolean> {
    const { cluster, everyMs, store } = this.#options
    const signature = cluster.signature(now)
    const isSettled = signature === this.#seen
    this.#seen = signature
    if (now - this.#keptAt >= KEEP_MS) {
      this.#keptAt = now
      await store.keep(this.#volumes.stored(now))
    }
    if (now - this.#lookedAt >= LOOK_MS) {
      this.#lookedAt = now
      if ((await store.read())?.revision !== this.#entry.revision) return false
    }
    const isDue = this.#planned !== signature ? isSettled : now - this.#plannedAt >= everyMs
    return isDue ? this.#plan(signature, now) : true
  }

  /** What was measured goes to the next one. */
  async end(now: number): Promise<void> {
    await this.#options.store.keep(this.#volumes.stored(now))
  }

  async #plan(signature: string, now: number): Promise<boolean> {
    const { cluster, store, log } = this.#options
    const { plan: before, revision } = this.#entry
    const world = {
      partitions: before.partitions,
      models: cluster.models(this.#volumes, now),
      nodes: cluster.nodes(now),
    }
    const next = plan(world, before)
    if (next !== before) {
      const ours = { ...next, term: this.#options.term }
      const written = await store.write(ours, revision)
      if (written === undefined) return false
      this.#entry = { plan: ours, revision: written }
      const moved = Object.entries(next.models).filter(([name, at]) => (before.models[name] ?? at) !== at).length
      log('info', 'a new plan', { models: world.models.length, nodes: world.nodes.length, moved })
    }
    this.#planned = signature
    this.#plannedAt = now
    return true
  }
}
