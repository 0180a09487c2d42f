import { type Problem, ProblemError } from '@oriel/protocol/problem'
import type { NamedTensor } from '@oriel/protocol/tensor'
import type { Clock } from './clock.ts'
import type { StartHost } from './host/host-process.ts'
import { ownMemory } from './host/messages.ts'
import { SupervisedHost } from './host/supervised-host.ts'
import type { Batch, ModelHosts } from './model-hosts.ts'
import type { LocalModel, ModelRunner, Output, Run } from './model-runner.ts'
import { Quarantine } from './quarantine.ts'
import { Residency } from './residency.ts'
import { Suspects } from './suspects.ts'

const PING_MS = 1_000
/** ms. How long a model that could not be loaded is refused without another try: loading disturbs its neighbours. */
const REFUSED_MS = 30_000

export interface HostChange {
  readonly host: string
  /** Of the new process; undefined while there is none. */
  readonly pid: number | undefined
  /** Of a host that was lost: `hung`, `signal SIGSEGV`, `exit code 1`. */
  readonly why?: string
}

export interface HostPoolOptions {
  /** How many hosts. */
  readonly hosts: number
  readonly start: StartHost
  readonly clock: Clock
  /** Brings a model's files to its folder, where that is not so already, and keeps them there until the answer is called. */
  readonly bring?: (model: LocalModel) => Promise<() => void>
  /** A host came up, or was lost. */
  readonly onChange?: (change: HostChange) => void
  readonly onLine?: (host: string, line: string) => void
}

/** Runs models in subprocesses: each model in one host, each host with many models. As a runner, it runs streams. */
export class HostPool implements ModelRunner, ModelHosts {
  readonly #hosts: SupervisedHost[]
  readonly #residency = new Residency<SupervisedHost>()
  readonly #suspects = new Suspects()
  readonly #quarantine: Quarantine<SupervisedHost>
  readonly #refused = new Map<string, { problem: Problem; until: number }>()
  readonly #clock: Clock
  readonly #bring: NonNullable<HostPoolOptions['bring']>
  #lastWork = 0
  #stopPings: () => void

  constructor({
    hosts,
    start,
    clock,
    bring = async () => () => {},
    onChange = () => {},
    onLine = () => {},
  }: HostPoolOptions) {
    this.#clock = clock
    this.#bring = bring
    const open = (name: string) => {
      const host: SupervisedHost = new SupervisedHost({
        name,
        start,
        clock,
        onLine: (line) => onLine(name, line),
        onStarted: (pid) => onChange({ host: name, pid }),
        onLost: (why) => {
          this.#residency.drop(host)
          onChange({ host: name, pid: undefined, why })
        },
      })
      return host
    }
    this.#hosts = Array.from({ length: hosts }, (_, index) => open(`host-${index + 1}`))
    let cells = 0
    this.#quarantine = new Quarantine(hosts, () => open(`quarantine-${++cells}`))
    this.#stopPings = this.#ping()
  }

  async run(run: Run, emit: (output: Output) => void, signal: AbortSignal): Promise<void> {
    if (signal.aborted) throw aborted()
    await orAborted(this.#runToEnd(run, emit, signal), signal)
  }

  async infer(model: LocalModel, batch: Batch, signal?: AbortSignal): Promise<readonly NamedTensor[]> {
    return this.#inferIn(await this.#acquire(model), model, batch, signal)
  }

  async inferAlone(model: LocalModel, batch: Batch, signal?: AbortSignal): Promise<readonly NamedTensor[]> {
    const alone = async (host: SupervisedHost) => {
      await this.#load(model, host)
      return this.#inferIn(host, model, batch, signal)
    }
    if (signal?.aborted) throw aborted()
    const outputs = await orAborted(this.#quarantine.run(alone, signal), signal)
    if (!outputs) throw aborted()
    return outputs
  }

  /** Into memory, if it is not there. @throws ProblemError why it cannot be */
  async load(model: LocalModel): Promise<void> {
    await this.#acquire(model)
  }

  /** Out of memory. Nothing may be running with it. */
  async unload(model: LocalModel): Promise<void> {
    const key = keyOf(model)
    this.#refused.delete(key)
    const host = await this.#residency.forget(key)
    host?.unload(key)
  }

  /** For the heartbeat. */
  status(): { name: string; pid: number; models: string[]; rssBytes: number }[] {
    return this.#all().flatMap((host) => {
      const { name, pid, rssBytes } = host
      return pid === undefined ? [] : [{ name, pid, models: this.#residency.residents(host), rssBytes }]
    })
  }

  /** Whether a model is in memory, or why it could not be brought there. */
  stateOf(model: LocalModel): { state: 'available' | 'loaded' } | { state: 'unavailable'; problem: Problem } {
    const key = keyOf(model)
    const refused = this.#refused.get(key)
    if (refused) return { state: 'unavailable', problem: refused.problem }
    return { state: this.#hosts.some((host) => this.#residency.isResident(key, host)) ? 'loaded' : 'available' }
  }

  /** Ends every host. What still runs in them is rejected. */
  async close(): Promise<void> {
    this.#stopPings()
    await Promise.all([this.#quarantine.close(), ...this.#hosts.map((host) => host.close())])
  }

  async #runToEnd(run: Run, emit: (output: Output) => void, signal: AbortSignal): Promise<void> {
    try {
      if (this.#suspects.has(run.id)) await this.#runAlone(run, emit, signal)
      else await this.#runIn(await this.#acquire(run.model), run, emit, signal)
      this.#suspects.ran(run.id, undefined)
    } catch (error) {
      this.#suspects.ran(run.id, error)
      throw error
    }
  }

  #runAlone(run: Run, emit: (output: Output) => void, signal: AbortSignal): Promise<void> {
    const alone = async (host: SupervisedHost) => {
      await this.#load(run.model, host)
      await this.#runIn(host, run, emit, signal)
    }
    return this.#quarantine.run(alone, signal)
  }

  async #runIn(host: SupervisedHost, run: Run, emit: (output: Output) => void, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return
    const work = ++this.#lastWork
    const { id: _, model, ...task } = run
    const onAbort = () => host.abort(work)
    signal.addEventListener('abort', onAbort, { once: true })
    try {
      await host.perform(
        { type: 'run', work, model: keyOf(model), ...task },
        model.manifest.limits.hangMs,
        (output) => {
          if (!signal.aborted) emit(output)
        },
      )
    } finally {
      signal.removeEventListener('abort', onAbort)
    }
  }

  async #inferIn(host: SupervisedHost, model: LocalModel, { inputs, outputs }: Batch, signal?: AbortSignal) {
    if (signal?.aborted) throw aborted()
    const work = ++this.#lastWork
    const onAbort = () => host.abort(work)
    signal?.addEventListener('abort', onAbort, { once: true })
    try {
      const message = { type: 'infer', work, model: keyOf(model), inputs: ownMemory(inputs), outputs } as const
      const found = await host.perform(message, model.manifest.limits.hangMs)
      if (!found) throw aborted()
      return found
    } finally {
      signal?.removeEventListener('abort', onAbort)
    }
  }

  async #acquire(model: LocalModel): Promise<SupervisedHost> {
    const key = keyOf(model)
    for (;;) {
      const refused = this.#refused.get(key)
      if (refused && refused.until > this.#clock.now()) throw new ProblemError(refused.problem)
      const host = await this.#residency.acquire(key, this.#leastLoaded, (chosen) => this.#load(model, chosen))
      // It may have been lost between its answer and now.
      if (this.#residency.isResident(key, host)) return host
    }
  }

  async #load(model: LocalModel, host: SupervisedHost): Promise<void> {
    const { manifest, dir } = model
    const key = keyOf(model)
    try {
      const release = await this.#bring(model)
      const load = { type: 'load', work: ++this.#lastWork, model: key, dir, manifest } as const
      await host.perform(load, manifest.limits.hangMs).finally(release)
      this.#refused.delete(key)
    } catch (error) {
      const problem = error instanceof ProblemError ? error.problem : undefined
      if (problem?.kind === 'model-unavailable' || problem?.kind === 'model-damaged') {
        this.#refused.set(key, { problem, until: this.#clock.now() + REFUSED_MS })
      }
      throw error
    }
  }

  readonly #leastLoaded = (): SupervisedHost => {
    const load = (host: SupervisedHost) => [host.pid === undefined ? 1 : 0, this.#residency.load(host), host.busy]
    const [first, ...rest] = this.#hosts
    if (!first) throw new Error('a pool without hosts')
    return rest.reduce((best, host) => (isLess(load(host), load(best)) ? host : best), first)
  }

  #all(): SupervisedHost[] {
    return [...this.#hosts, ...this.#quarantine.cells]
  }

  #ping(): () => void {
    return this.#clock.setTimer(PING_MS, () => {
      for (const host of this.#all()) host.check(PING_MS)
      this.#stopPings = this.#ping()
    })
  }
}

const keyOf = ({ manifest: { name, version }, revision }: LocalModel) =>
  revision === undefined ? `${name}/${version}` : `${name}/${version}#${revision}`

const isLess = (a: readonly number[], b: readonly number[]): boolean => {
  const at = a.findIndex((value, index) => value !== b[index])
  return at >= 0 && (a[at] ?? 0) < (b[at] ?? 0)
}

/** At once, though a host may be stuck in native code. */
async function orAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return work
  const aborting = Promise.withResolvers<never>()
  const onAbort = () => aborting.reject(aborted())
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    return await Promise.race([work, aborting.promise])
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}

const aborted = () => new DOMException('The run was aborted.', 'AbortError')
