import { ProblemError } from '@oriel/protocol/problem'
import { BystanderError } from '../bystander-error.ts'
import type { Clock } from '../clock.ts'
import type { Output } from '../model-runner.ts'
import { respawnDelay, silenceLimit } from './host-limits.ts'
import { blameFor, lossOf } from './host-loss.ts'
import type { HostProcess, HostProcessEvents, StartHost } from './host-process.ts'
import type { FromHost, ToHost, WorkEnd } from './messages.ts'

/** A piece of work that a host has been given and has not ended yet. */
interface Work {
  readonly message: Extract<ToHost, { type: 'inspect' | 'load' | 'run' | 'infer' }>
  readonly hangMs: number
  readonly onOutput: (output: Output) => void
  readonly resolve: (end: WorkEnd) => void
  readonly reject: (problem: ProblemError) => void
  sent: boolean
}

export interface SupervisedHostOptions {
  readonly name: string
  readonly start: StartHost
  readonly clock: Clock
  /** Before the work that was lost with it is rejected. */
  readonly onLost: (why: string) => void
  readonly onStarted: (pid: number) => void
  /** A model takes more memory than when it was loaded. */
  readonly onGrew?: (model: string, bytes: number) => void
  readonly onLine: (line: string) => void
}

type Mode =
  | {
      readonly name: 'running'
      readonly process: HostProcess
      readonly since: number
      baseBytes: number
      ready: boolean
      silentMs: number
      current: number
    }
  | { readonly name: 'waiting'; readonly cancel: () => void }
  | { readonly name: 'closed' }

/**
 * One model host, kept alive.
 *
 *     running ──died, or silent for too long──▶ waiting ──at once, or after a pause──▶ running
 *        └───────────────────close───────────────▶ closed
 *
 * Work that was sent is lost with the process; work that came while there was none waits for the next.
 */
export class SupervisedHost {
  readonly name: string
  rssBytes = 0
  readonly #options: SupervisedHostOptions
  readonly #works = new Map<number, Work>()
  readonly #unloads = new Map<string, () => void>()
  readonly #exits = new Set<Promise<void>>()
  #mode: Mode = { name: 'closed' }
  #quickDeaths = 0

  constructor(options: SupervisedHostOptions) {
    this.name = options.name
    this.#options = options
    this.#start()
  }

  get pid(): number | undefined {
    return this.#mode.name === 'running' ? this.#mode.process.pid : undefined
  }

  /** By how much it has grown since it was ready. */
  get grownBytes(): number {
    return this.#mode.name === 'running' && this.#mode.ready ? Math.max(0, this.rssBytes - this.#mode.baseBytes) : 0
  }

  /** How long its process lives. */
  get ageMs(): number {
    return this.#mode.name === 'running' ? this.#options.clock.now() - this.#mode.since : 0
  }

  get busy(): number {
    return this.#works.size
  }

  /**
   * @returns how it ended: `done` when it was aborted
   * @throws ProblemError the host's own answer, host-crashed, host-hung
   */
  perform(message: Work['message'], hangMs: number, onOutput: (output: Output) => void = () => {}) {
    return new Promise<WorkEnd>((resolve, reject) => {
      if (this.#mode.name === 'closed') return reject(closed())
      const work = { message, hangMs, onOutput, resolve, reject, sent: false }
      this.#works.set(message.work, work)
      this.#send(work)
    })
  }

  /** The run's promise still settles, when the host has let go of it. */
  abort(number: number): void {
    const work = this.#works.get(number)
    if (work?.sent && this.#mode.name === 'running') this.#mode.process.send({ type: 'abort', work: number })
    else this.#end(number)?.resolve({ type: 'done', work: number })
  }

  /** Frees a model that has no runs here. Resolves when its memory is free. */
  async unload(model: string): Promise<void> {
    if (this.#mode.name !== 'running') return
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#unloads.set(model, resolve)
    this.#mode.process.send({ type: 'unload', model })
    await promise
  }

  /** Asks for a sign of life, `tickMs` after the last time, and replaces a host that has given none for too long. */
  check(tickMs: number): void {
    if (this.#mode.name !== 'running') return
    const { process } = this.#mode
    const current = process.currentWork()
    // Counted in ticks: a node that was itself asleep has not waited. Other work than before is a sign of life, too.
    this.#mode.silentMs = current === this.#mode.current ? this.#mode.silentMs + tickMs : 0
    this.#mode.current = current
    if (this.#mode.silentMs > silenceLimit(this.#mode.ready, this.#works.get(current)?.hangMs)) {
      this.#lost('hung')
      process.kill()
    } else {
      process.send({ type: 'ping' })
    }
  }

  async close(): Promise<void> {
    const mode = this.#mode
    this.#mode = { name: 'closed' }
    if (mode.name === 'waiting') mode.cancel()
    if (mode.name === 'running') mode.process.kill()
    for (const number of [...this.#works.keys()]) this.#end(number)?.reject(closed())
    await Promise.all(this.#exits)
    this.#endUnloads()
  }

  #start(): void {
    // A process that has been given up may still speak; only the present one is heard.
    const isPresent = () => this.#mode.name === 'running' && this.#mode.process === process
    const process = this.#spawn({
      onMessage: (message) => {
        if (isPresent()) this.#receive(message)
      },
      onExit: (how) => {
        if (isPresent()) this.#lost(how)
      },
      onLine: this.#options.onLine,
    })
    if (!process) return
    const exit = process.exited.finally(() => this.#exits.delete(exit))
    this.#exits.add(exit)
    const since = this.#options.clock.now()
    this.#mode = { name: 'running', process, since, baseBytes: 0, ready: false, silentMs: 0, current: 0 }
    this.#options.onStarted(process.pid)
    for (const work of this.#works.values()) this.#send(work)
  }

  /** undefined when the machine has no room for another process now: then there is another try. */
  #spawn(events: HostProcessEvents): HostProcess | undefined {
    try {
      return this.#options.start(events)
    } catch (error) {
      this.#options.onLine(`could not be started: ${error instanceof Error ? error.message : error}`)
      this.#startAfter(0)
      return undefined
    }
  }

  #startAfter(livedMs: number): void {
    const { delayMs, quickDeaths } = respawnDelay(livedMs, this.#quickDeaths)
    this.#quickDeaths = quickDeaths
    this.#mode = { name: 'waiting', cancel: this.#options.clock.setTimer(delayMs, () => this.#start()) }
  }

  #send(work: Work): void {
    if (this.#mode.name !== 'running') return
    work.sent = true
    this.#mode.process.send(work.message)
  }

  #receive(message: FromHost): void {
    if (this.#mode.name !== 'running') return
    this.#mode.silentMs = 0
    switch (message.type) {
      case 'ready':
        this.#mode.ready = true
        this.#mode.baseBytes = message.rssBytes
        this.rssBytes = message.rssBytes
        return
      case 'pong':
        this.rssBytes = message.rssBytes
        return
      case 'inferred':
      case 'loaded':
      case 'done':
        this.#end(message.work)?.resolve(message)
        return
      case 'failed':
        this.#end(message.work)?.reject(new ProblemError(message.problem))
        return
      case 'output': {
        const { response, tokens } = message
        this.#works.get(message.work)?.onOutput(tokens ? { response, tokens } : { response })
        return
      }
      case 'unloaded':
        this.#unloads.get(message.model)?.()
        this.#unloads.delete(message.model)
        return
      case 'grew':
        this.#options.onGrew?.(message.model, message.bytes)
        return
    }
  }

  /** The memory of a process that has ended is free. */
  #endUnloads(): void {
    for (const resolve of this.#unloads.values()) resolve()
    this.#unloads.clear()
  }

  #end(number: number): Work | undefined {
    const work = this.#works.get(number)
    this.#works.delete(number)
    return work
  }

  #lost(how: string): void {
    if (this.#mode.name !== 'running') return
    const { process, since } = this.#mode
    const current = process.currentWork()
    this.#startAfter(this.#options.clock.now() - since)
    this.#options.onLost(how)
    this.#endUnloads()
    const sent = [...this.#works].filter(([, work]) => work.sent)
    const numbers = sent.map(([number]) => number)
    for (const [number, { message }] of sent) {
      this.#end(number)?.reject(lossOf(message.type, how, blameFor(number, current, numbers)))
    }
  }
}

const closed = () => new BystanderError({ kind: 'host-crashed', detail: 'The node is stopping.' }, false)
