import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { bundledModels } from '@oriel/dev/bundled-models'
import { firstPlan } from '@oriel/dev/plan'
import { descendants } from '@oriel/dev/process-table'
import type { Stack } from '@oriel/dev/stack'
import { StateDir } from '@oriel/dev/state-dir'
import { prepareBroker } from '@oriel/dev/streams'
import { BUNDLED } from '../support/models.ts'
import { type FaultName, FLOODS, type FloodName, LINKS, TROUBLES } from './faults.ts'
import type { Links } from './links.ts'
import { lowerQueues } from './lower-queues.ts'
import type { InjectedFault } from './observation.ts'
import { pause } from './pause.ts'
import type { Injection } from './schedule.ts'

/** What a fault did: to whom, and what ends it. */
interface Struck {
  readonly target: string
  /** Comes back when the part is as it was. */
  over(): Promise<void>
}

export interface InjectorOptions {
  readonly stack: Stack
  readonly links: Links
  readonly nodes: number
  /** Sends many requests within this time. */
  readonly flood: (flood: FloodName, forMs: number) => void
}

const AGAIN_MS = 250

/** Does to a stack what the schedule says. */
export class Injector {
  readonly #stack: Stack
  readonly #links: Links
  readonly #nodes: number
  readonly #flood: InjectorOptions['flood']
  #brokerIsAway = false

  constructor({ stack, links, nodes, flood }: InjectorOptions) {
    this.#stack = stack
    this.#links = links
    this.#nodes = nodes
    this.#flood = flood
  }

  /**
   * Comes back when the fault is over and its part is well again.
   * @param late how long it is tried while its part is away, because of another fault
   */
  async inject({ fault, forMs, which }: Injection, late: AbortSignal, stop: AbortSignal): Promise<InjectedFault> {
    for (;;) {
      const at = Date.now()
      try {
        const { target, over } = await this.#strike(fault, which, forMs)
        await pause(forMs, stop)
        const left = await over().then(
          () => undefined,
          (error) => String(error), // a part that does not come back shows in its requests, too
        )
        return { fault, target, at, until: Date.now(), ...(left && { left }) }
      } catch (error) {
        if (late.aborted || stop.aborted) return { fault, target: '', at, until: Date.now(), skipped: String(error) }
        await pause(AGAIN_MS, stop)
      }
    }
  }

  async #strike(fault: FaultName, which: number, forMs: number): Promise<Struck> {
    if (fault === 'wipe-nats') return this.#wipe()
    const flood = FLOODS.find((one) => one === fault)
    if (flood) {
      this.#flood(flood, forMs)
      return { target: 'edge', over: async () => {} }
    }
    if (fault === 'stop-postgres') {
      await this.#stack.stopPart('postgres')
      return { target: 'postgres', over: () => this.#stack.startPart('postgres') }
    }
    const trouble = TROUBLES.find((one) => fault.startsWith(`${one}:`))
    const link = LINKS.find((one) => fault.endsWith(`:${one}`))
    if (trouble && link) {
      const target = choose(this.#links.of(link), which)
      const proxy = this.#links.proxy(target)
      proxy.become(trouble)
      return {
        target,
        over: async () => {
          if (proxy.mode === trouble) proxy.become('open')
        },
      }
    }
    const [act, kind = ''] = fault.split('-')
    const part = kind === 'node' || kind === 'host' ? `node-${1 + Math.floor(which * this.#nodes)}` : kind
    const pid =
      kind === 'host' ? this.#host(part, which) : this.#stack.kill(part, act === 'kill' ? 'SIGKILL' : 'SIGSTOP')
    if (kind === 'host') process.kill(pid, act === 'kill' ? 'SIGKILL' : 'SIGSTOP')
    const target = kind === 'host' ? `a host of ${part}` : part
    if (act === 'freeze') return { target, over: async () => void process.kill(pid, 'SIGCONT') }
    return { target, over: () => (kind === 'host' ? Promise.resolve() : this.#back(part, pid)) }
  }

  /** Until another process does the part's work. */
  async #back(name: string, pid: number): Promise<void> {
    const part = this.#stack.part(name)
    while (part.mode !== 'running' || part.pid === undefined || part.pid === pid) {
      if (part.mode === 'failed') throw new Error(`${name} did not come back`)
      await Bun.sleep(20)
    }
  }

  #host(node: string, which: number): number {
    const { pid } = this.#stack.part(node)
    const hosts = pid === undefined ? [] : descendants(pid).map((row) => row.pid)
    return choose(hosts, which)
  }

  /** The broker comes back without anything it knew, as from a disk that was replaced. */
  async #wipe(): Promise<Struck> {
    if (this.#brokerIsAway) throw new Error('the broker is away already')
    this.#brokerIsAway = true
    const stack = this.#stack
    const over = async () => {
      try {
        await stack.startPart('nats')
        const nc = await stack.nats()
        await prepareBroker(nc, firstPlan(bundledModels(BUNDLED)))
        await lowerQueues(nc)
        await nc.close()
      } finally {
        this.#brokerIsAway = false
      }
    }
    await stack.stopPart('nats')
    await rm(new StateDir(join(stack.stateDir)).jetstream, { recursive: true, force: true })
    return { target: 'nats', over }
  }
}

function choose<T>(all: readonly T[], which: number): T {
  const one = all[Math.floor(which * all.length)]
  if (one === undefined) throw new Error('there is none just now')
  return one
}
