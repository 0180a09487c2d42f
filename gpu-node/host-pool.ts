import { type Problem, ProblemError } from '@oriel/protocol/problem'
import type { NamedTensor } from '@oriel/protocol/tensor'
import type { Clock } from './clock.ts'
import type { StartHost } from './host/host-process.ts'
import { ownMemory } from './host/messages.ts'
import type { SupervisedHost } from './host/supervised-host.ts'
import { type HostChange, HostFleet } from './host-fleet.ts'
import type { Batch, ModelHosts } from './model-hosts.ts'
import type { LocalModel, ModelRunner, Output, Run } from './model-runner.ts'
import type { MemoryObserver } from './observer.ts'
import { aborted, orAborted } from './or-aborted.ts'
import { Quarantine } from './quarantine.ts'
import { type Lease, Residency, type Wanted } from './residency.ts'
import { sessionName, versionIn } from './session-name.ts'
import { Suspects } from './suspects.ts'

const PING_MS = 1_000
/** ms. How long a model that could not be loaded is refused without another try: loading disturbs its neighbours. */
const REFUSED_MS = 30_000
const OWN_HOST_BYTES = 128 * 2 ** 20
const HOST_GROWTH_BYTES = 512 * 2 ** 20
/** ms. A host is not replaced for its memory sooner: whoever needs so much would need it again in the next. */
const RECYCLE_MS = 60_000

export interface HostPoolOptions {
  /** How many hosts share the models that are not large. */
  readonly hosts: number
  readonly start: StartHost
  readonly clock: Clock
  /** Memory for all models together. */
  readonly budgetBytes?: number
  /** A model of so many bytes has a host of its own. */
  readonly ownHostBytes?: number
  /** How much memory a host may have that is no model's, before another takes its place. */
  readonly hostGrowthBytes?: number
  /** Whether a model stays in memory once it is there. */
  readonly isPinned?: (model: LocalModel) => boolean
  /** Brings a model's files to its folder, where that is not so already, and keeps them there until the answer is called. */
  readonly bring?: (model: LocalModel) => Promise<() => void>
  readonly observer?: MemoryObserver
  /** A host came up, or was lost. */
  readonly onChange?: (change: HostChange) => void
  readonly onLine?: (host: string, line: string) => void
}

type Host = SupervisedHost

/** Runs models in subprocesses: each model in one host, each host with many models. As a runner, it runs streams. */
export class HostPool implements ModelRunner, ModelHosts {
  readonly #options: Required<HostPoolOptions>
  readonly #fleet: HostFleet
  readonly #residency: Residency<Host>
  readonly #suspects = new Suspects()
  readonly #quarantine: Quarantine<Host>
  readonly #refused = new Map<string, { problem: Problem; until: number }>()
  #lastWork = 0
  #stopPings: () => void

  constructor(given: HostPoolOptions) {
    const options = { ...DEFAULTS, ...given }
    this.#options = options
    this.#residency = new Residency({
      ...options,
      unload: (session, host) => (this.#fleet.isOwn(host) ? this.#fleet.close(host) : host.unload(session)),
    })
    this.#fleet = new HostFleet({
      ...options,
      load: (host) => this.#residency.load(host),
      onLost: (host) => this.#residency.drop(host),
      onGrew: (host, session, bytes) => this.#residency.grew(session, host, bytes),
    })
    this.#quarantine = new Quarantine(options.hosts, () => this.#fleet.open('quarantine'))
    this.#stopPings = this.#ping()
  }

  async run(run: Run, emit: (output: Output) => void, signal: AbortSignal): Promise<void> {
    if (signal.aborted) throw aborted()
    await orAborted(this.#runToEnd(run, emit, signal), signal)
  }

  async infer(model: LocalModel, batch: Batch, signal?: AbortSignal): Promise<readonly NamedTensor[]> {
    const lease = this.#residency.take(sessionName(model)) ?? (await this.#miss(model, signal))
    try {
      return await this.#inferIn(lease, model, batch, signal)
    } finally {
      lease.release()
    }
  }

  async inferAlone(model: LocalModel, batch: Batch, signal?: AbortSignal): Promise<readonly NamedTensor[]> {
    const alone = async (host: Host) => {
      const session = sessionName(model)
      await this.#load(model, host, session)
      return this.#inferIn({ host, session }, model, batch, signal)
    }
    if (signal?.aborted) throw aborted()
    const outputs = await orAborted(this.#quarantine.run(alone, signal), signal)
    if (!outputs) throw aborted()
    return outputs
  }

  /** Into memory, if it is not there. @throws ProblemError why it cannot be */
  async load(model: LocalModel): Promise<void> {
    const lease = await this.#acquire(model)
    lease.release()
  }

  /** Whether a model could be loaded now without another being thrown out. */
  hasRoomFor(model: LocalModel): boolean {
    return this.#residency.hasRoom(bytesOf(model))
  }

  /** Out of memory, when nothing runs with it any more. */
  async unload(model: LocalModel): Promise<void> {
    const key = sessionName(model)
    this.#refused.delete(key)
    await this.#residency.forget(key)
  }

  /** For the heartbeat. */
  status(): { name: string; pid: number; models: string[]; rssBytes: number }[] {
    return this.#all().flatMap((host) => {
      const { name, pid, rssBytes } = host
      return pid === undefined ? [] : [{ name, pid, models: this.#residency.residents(host).map(versionIn), rssBytes }]
    })
  }

  /** What models have of the memory that is for them. */
  memory(): { readonly usedBytes: number; readonly budgetBytes: number } {
    return { usedBytes: this.#residency.usedBytes, budgetBytes: this.#options.budgetBytes }
  }

  /** Whether a model is in memory, or why it could not be brought there. */
  stateOf(model: LocalModel): { state: 'available' | 'loaded' } | { state: 'unavailable'; problem: Problem } {
    const key = sessionName(model)
    const refused = this.#refused.get(key)
    if (refused) return { state: 'unavailable', problem: refused.problem }
    return { state: this.#residency.isResident(key) ? 'loaded' : 'available' }
  }

  /** Ends every host. What still runs in them is rejected. */
  async close(): Promise<void> {
    this.#stopPings()
    this.#residency.close()
    await Promise.all([this.#quarantine.close(), this.#fleet.closeAll()])
  }

  async #runToEnd(run: Run, emit: (output: Output) => void, signal: AbortSignal): Promise<void> {
    try {
      if (this.#suspects.has(run.id)) await this.#runAlone(run, emit, signal)
      else await this.#runShared(run, emit, signal)
      this.#suspects.ran(run.id, undefined)
    } catch (error) {
      this.#suspects.ran(run.id, error)
      throw error
    }
  }

  async #runShared(run: Run, emit: (output: Output) => void, signal: AbortSignal): Promise<void> {
    const lease = this.#residency.take(sessionName(run.model)) ?? (await this.#miss(run.model, signal))
    try {
      await this.#runIn(lease, run, emit, signal)
    } finally {
      lease.release()
    }
  }

  #runAlone(run: Run, emit: (output: Output) => void, signal: AbortSignal): Promise<void> {
    const alone = async (host: Host) => {
      const session = sessionName(run.model)
      await this.#load(run.model, host, session)
      await this.#runIn({ host, session }, run, emit, signal)
    }
    return this.#quarantine.run(alone, signal)
  }

  async #runIn({ host, session }: Place, run: Run, emit: (output: Output) => void, signal: AbortSignal) {
    if (signal.aborted) return
    const work = ++this.#lastWork
    const { id: _, model, ...task } = run
    const onAbort = () => host.abort(work)
    signal.addEventListener('abort', onAbort, { once: true })
    try {
      await host.perform({ type: 'run', work, model: session, ...task }, model.manifest.limits.hangMs, (output) => {
        if (!signal.aborted) emit(output)
      })
    } finally {
      signal.removeEventListener('abort', onAbort)
    }
  }

  async #inferIn({ host, session }: Place, model: LocalModel, { inputs, outputs }: Batch, signal?: AbortSignal) {
    if (signal?.aborted) throw aborted()
    const work = ++this.#lastWork
    const onAbort = () => host.abort(work)
    signal?.addEventListener('abort', onAbort, { once: true })
    try {
      const message = { type: 'infer', work, model: session, inputs: ownMemory(inputs), outputs } as const
      const end = await host.perform(message, model.manifest.limits.hangMs)
      if (end.type !== 'inferred') throw aborted()
      return end.outputs
    } finally {
      signal?.removeEventListener('abort', onAbort)
    }
  }

  #miss(model: LocalModel, signal: AbortSignal | undefined): Promise<Lease<Host>> {
    this.#options.observer.missed(model)
    return this.#acquire(model, signal)
  }

  async #acquire(model: LocalModel, signal?: AbortSignal): Promise<Lease<Host>> {
    const key = sessionName(model)
    for (;;) {
      const refused = this.#refused.get(key)
      if (refused && refused.until > this.#options.clock.now()) throw new ProblemError(refused.problem)
      const lease = await this.#residency.acquire(this.#wanted(key, model), signal).catch((error) => {
        this.#refuse(key, error)
        throw error
      })
      // It may have been lost between its answer and now.
      if (!lease.isLost) return lease
      lease.release()
    }
  }

  #wanted(key: string, model: LocalModel): Wanted<Host> {
    const { isPinned, observer } = this.#options
    const bytes = bytesOf(model)
    return {
      model: key,
      bytes,
      pinned: isPinned(model),
      choose: () => this.#fleet.choose(bytes),
      load: async (host, session) => {
        const loaded = await this.#load(model, host, session)
        observer.loaded(model, loaded.tookMs, bytes)
        return loaded
      },
      onEvicted: () => observer.evicted(model),
    }
  }

  /** @returns by how many bytes its host has grown, and the time without that of a host that had to start */
  async #load(model: LocalModel, host: Host, session: string) {
    const { manifest, dir } = model
    const { clock, bring } = this.#options
    try {
      const since = clock.now()
      const release = await bring(model)
      const broughtMs = clock.now() - since
      const load = { type: 'load', work: ++this.#lastWork, model: session, dir, manifest } as const
      const end = await host.perform(load, manifest.limits.hangMs).finally(release)
      this.#refused.delete(sessionName(model))
      if (end.type !== 'loaded') throw new Error('a load ended without an answer')
      return { bytes: end.bytes, tookMs: broughtMs + end.tookMs }
    } catch (error) {
      this.#refuse(sessionName(model), error)
      if (this.#fleet.isOwn(host)) void this.#fleet.close(host)
      throw error
    }
  }

  #refuse(key: string, error: unknown): void {
    const problem = error instanceof ProblemError ? error.problem : undefined
    if (problem?.kind !== 'model-unavailable' && problem?.kind !== 'model-damaged') return
    this.#refused.set(key, { problem, until: this.#options.clock.now() + REFUSED_MS })
  }

  /** Another host takes its place, and what it has; it ends when nothing runs in it any more. */
  async #recycle(host: Host): Promise<void> {
    this.#options.observer.recycled(host.name)
    this.#fleet.retire(host)
    await this.#residency.recycle(host)
    await this.#fleet.close(host)
  }

  #hasOutgrown(host: Host): boolean {
    if (this.#fleet.isLeaving(host) || host.ageMs < RECYCLE_MS) return false
    return host.grownBytes - this.#residency.load(host).bytes > this.#options.hostGrowthBytes
  }

  #all(): Host[] {
    return [...this.#fleet.all, ...this.#quarantine.cells]
  }

  #ping(): () => void {
    return this.#options.clock.setTimer(PING_MS, () => {
      for (const host of this.#all()) host.check(PING_MS)
      for (const host of this.#fleet.all) if (this.#hasOutgrown(host)) void this.#recycle(host)
      this.#stopPings = this.#ping()
    })
  }
}

/** A model in a host. */
type Place = Pick<Lease<Host>, 'host' | 'session'>

const DEFAULTS = {
  budgetBytes: Number.POSITIVE_INFINITY,
  ownHostBytes: OWN_HOST_BYTES,
  hostGrowthBytes: HOST_GROWTH_BYTES,
  isPinned: () => false,
  bring: async () => () => {},
  observer: { loaded() {}, missed() {}, evicted() {}, recycled() {} },
  onChange() {},
  onLine() {},
} satisfies Partial<HostPoolOptions>

const bytesOf = ({ manifest }: LocalModel) => manifest.files.reduce((sum, { bytes }) => sum + bytes, 0)
