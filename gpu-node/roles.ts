import { BACKLOG_STALE_MS, type Backlog } from '@oriel/protocol/backlog'
import { homesOf, type Placement } from '@oriel/protocol/placement'
import { mayHelp } from './helping.ts'

/** What a node is in a partition. A `helper` is given what those at home leave; who is `away` asks for nothing. */
export type Role = 'home' | 'helper' | 'away'

export interface RolesOptions {
  readonly node: string
  /** Names of the models in memory. */
  readonly loaded: () => ReadonlySet<string>
  readonly loadMs: number
  readonly now: () => number
}

/** What this node is in each partition, by the plan and by what the planner tells. */
export class Roles {
  readonly #options: RolesOptions
  #plan: Placement | undefined
  #members: string[][] = []
  #told: { backlog: Backlog; at: number } | undefined

  constructor(options: RolesOptions) {
    this.#options = options
  }

  follow(plan: Placement): void {
    this.#plan = plan
    this.#members = Array.from({ length: plan.partitions }, () => [])
    for (const [model, partition] of Object.entries(plan.models)) this.#members[partition]?.push(model)
  }

  told(backlog: Backlog): void {
    this.#told = { backlog, at: this.#options.now() }
  }

  /** By partition. */
  now(): Role[] {
    const loaded = this.#options.loaded()
    return this.#members.map((_, partition) => this.#of(partition, loaded))
  }

  #of(partition: number, present: ReadonlySet<string>): Role {
    const { node, loadMs } = this.#options
    const homes = this.#plan ? homesOf(this.#plan, partition) : []
    if (homes.length === 0 || homes.includes(node)) return 'home'
    const hasModels = this.#members[partition]?.every((model) => present.has(model)) ?? false
    return mayHelp({ queue: this.#queue(partition), hasModels, loadMs }) ? 'helper' : 'away'
  }

  #queue(partition: number): Backlog['partitions'][number] | undefined {
    if (!this.#told || this.#options.now() - this.#told.at > BACKLOG_STALE_MS) return undefined
    return this.#told.backlog.partitions[partition]
  }
}
