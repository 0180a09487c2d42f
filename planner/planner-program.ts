import type { NatsConnection } from '@nats-io/nats-core'
import type { Backlog } from '@oriel/protocol/backlog'
import { BACKLOG } from '@oriel/protocol/subjects'
import type { Autoscaler } from './autoscaler.ts'
import { BacklogMeter } from './backlog-meter.ts'
import { type Cluster, GRACE_MS } from './cluster.ts'
import type { Lease } from './lease.ts'
import { idleNodes, loadOf } from './load.ts'
import type { Log } from './log.ts'
import { Planner, type PlanPort } from './planner.ts'
import { readQueues } from './read-queues.ts'

export interface PlannerProgramOptions {
  readonly nc: NatsConnection
  readonly lease: Lease
  readonly store: PlanPort
  readonly cluster: Cluster
  readonly everyMs: number
  readonly halfLifeMs: number
  /** Changes the number of nodes, if anything is to. */
  readonly autoscaler: Autoscaler | undefined
  readonly log: Log
}

/*
 * standing by ──the lease is ours──▶ planning ──it is not any more, or another wrote the plan──▶ standing by
 */

/** A planner among several. What fails is tried again the next time: it is called every second or so. */
export class PlannerProgram {
  readonly #options: PlannerProgramOptions
  #planner: Planner | undefined
  #meter = new BacklogMeter()

  constructor(options: PlannerProgramOptions) {
    this.#options = options
  }

  get isPlanning(): boolean {
    return this.#planner !== undefined && this.#options.lease.isHeld
  }

  get planner(): Planner | undefined {
    return this.#planner
  }

  /** What waits, as it was last seen; nothing while another plans. */
  get backlog(): Backlog {
    return this.#meter.now(this.#homes(Date.now()))
  }

  get cluster(): Cluster {
    return this.#options.cluster
  }

  asked(counts: Readonly<Record<string, number>>, now: number): void {
    this.#planner?.asked(counts, now)
  }

  async keep(): Promise<void> {
    const { lease, log } = this.#options
    await lease.keep().catch((error) => log('warn', 'the lease could not be kept', { error: String(error) }))
  }

  async tick(now: number): Promise<void> {
    const { lease, log } = this.#options
    try {
      if (!lease.isHeld) return this.#standBy('the lease is another’s')
      this.#planner ??= await this.#begin(now)
      if (!(await this.#planner.tick(now))) return this.#standBy('another planner has written the plan')
      await this.#tell(this.#planner)
      const serving = this.cluster.serving(now)
      this.#options.autoscaler?.observe(loadOf(this.backlog, serving), idleNodes(serving), performance.now())
    } catch (error) {
      log('warn', 'the planner could not do its work', { error: String(error) })
    }
  }

  /** A node's connection has ended. If it does not come back at once, those who can help hear of it. */
  disconnected(name: string, now: number): void {
    if (!this.cluster.disconnected(name, now)) return
    setTimeout(() => {
      if (this.isPlanning && !this.#options.nc.isClosed())
        this.#options.nc.publish(BACKLOG, JSON.stringify(this.backlog))
    }, GRACE_MS + 10)
  }

  async end(now: number): Promise<void> {
    if (this.isPlanning) await this.#planner?.end(now)
    await this.#options.lease.release()
  }

  async #begin(now: number): Promise<Planner> {
    const { lease, log } = this.#options
    const planner = await Planner.begin({ ...this.#options, term: lease.term }, now)
    log('info', 'planning', { term: lease.term })
    return planner
  }

  #standBy(why: string): void {
    if (!this.#planner) return
    this.#options.log('warn', 'standing by', { why })
    this.#planner = undefined
    this.#meter = new BacklogMeter()
  }

  async #tell({ placement }: Planner): Promise<void> {
    const { nc } = this.#options
    this.#meter.add(await readQueues(nc, placement.partitions), performance.now())
    nc.publish(BACKLOG, JSON.stringify(this.backlog))
  }

  #homes(now: number): number[] {
    const serving = new Set(this.cluster.serving(now).map(({ node }) => node))
    const { partitions = 0, homes = [] } = this.#planner?.placement ?? {}
    return Array.from({ length: partitions }, (_, partition) => {
      const home = homes[partition] ?? []
      return home.length === 0 ? serving.size : home.filter((name) => serving.has(name)).length
    })
  }
}
