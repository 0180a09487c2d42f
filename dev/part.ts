import type { Command, Exit } from './child.ts'
import { Child } from './child.ts'
import { afterDeath, NO_FAILURES } from './restart-policy.ts'
import { StackError } from './stack-error.ts'
import { tailOf } from './tail.ts'

/*
 * A part: one process of the stack, kept alive.
 *
 *   stopped ──start──▶ starting ──ready──▶ running
 *      ▲                  │ ▲                 │
 *      │                died │ delay over   died
 *      │                  ▼ │                 │
 *      └────stop────── waiting ◀──────────────┘
 *                         └──died too often──▶ failed
 */
export type Mode = 'stopped' | 'starting' | 'running' | 'waiting' | 'stopping' | 'failed'

export const KINDS = ['postgres', 'nats', 'edge', 'recorder', 'planner', 'node', 'host'] as const
export type Kind = (typeof KINDS)[number]

export interface PartSpec {
  readonly name: string
  readonly kind: Kind
  /** Where it listens; null for a part that only calls others. */
  readonly address: string | null
  command(): Command | Promise<Command>
  /** One look at whether it does its work. */
  isReady(child: Child): boolean | Promise<boolean>
  /** How long it may take until it is. */
  readonly readyMs: number
  /** How it is asked to leave, and how long it may take about it. */
  readonly stop: { readonly signal: NodeJS.Signals; readonly graceMs: number; readonly to?: 'process' | 'group' }
  /** The process that does the work, where the one we start only looks after it. */
  worker?(child: Child): number | undefined
  /** Beside the process itself being alive: false is taken for a death. Asked several times a second. */
  isWell?(child: Child): boolean
}

export interface Surroundings {
  readonly logFile: string
  readonly restart: boolean
  log(line: string): void
  /** Some mode or pid is another now. */
  changed(): void
  /** It has been given up. */
  failed(error: StackError): void
}

const PROBE_MS = 50
const WATCH_MS = 250
const LAST_LINES = 15

export class Part {
  readonly spec: PartSpec
  readonly #around: Surroundings
  #mode: Mode = 'stopped'
  #child: Child | undefined
  #readyAt: number | undefined
  #failures = NO_FAILURES
  #wake: (() => void) | undefined
  /** The run that has the say: one that finds another here, or none, is over. */
  #run: object | undefined
  #readiness = fresh()

  constructor(spec: PartSpec, around: Surroundings) {
    this.spec = spec
    this.#around = around
  }

  get mode(): Mode {
    return this.#mode
  }

  get child(): Child | undefined {
    return this.#child
  }

  /** The process that does the work, while there is one. */
  get pid(): number | undefined {
    const child = this.#child
    if (!child || child.exit) return undefined
    return this.spec.worker ? this.spec.worker(child) : child.pid
  }

  /** Starts it and comes back when it is ready. @throws StackError when it is given up */
  async start(): Promise<void> {
    if (this.#mode === 'stopped' || this.#mode === 'failed') {
      this.#failures = NO_FAILURES
      this.#readiness = fresh()
      this.#set('starting')
      const run = {}
      this.#run = run
      this.#keepAlive(run).catch((error: unknown) => this.#giveUp(new StackError(`${this.spec.name}: ${error}`)))
    }
    await this.#readiness.promise
  }

  /** Comes back when it runs (again). @throws StackError when it is given up */
  ready(): Promise<void> {
    return this.#readiness.promise
  }

  /** Asks it to leave, waits, and makes sure that nothing of it is left. */
  async stop(): Promise<void> {
    if (this.#mode === 'stopped' || this.#mode === 'failed') return
    this.#run = undefined
    this.#set('stopping')
    this.#wake?.()
    this.#readiness.reject(new StackError(`${this.spec.name} was stopped.`))
    const { signal, graceMs, to } = this.spec.stop
    await this.#child?.end(signal, graceMs, to)
    this.#set('stopped')
  }

  /** A signal to the process that does the work. @returns its pid */
  kill(signal: NodeJS.Signals = 'SIGKILL'): number {
    const { pid } = this
    if (pid === undefined) throw new StackError(`${this.spec.name} does not run.`)
    process.kill(pid, signal)
    return pid
  }

  /** At once and without asking, on the way out. */
  killNow(): void {
    this.#run = undefined
    this.#child?.signalGroup('SIGKILL')
  }

  async #keepAlive(run: object): Promise<void> {
    for (;;) {
      const { why, livedMs } = await this.#live(run)
      if (this.#run !== run) return
      if (why instanceof StackError) return this.#giveUp(why) // nothing that another try would mend
      if (this.#mode === 'running') this.#readiness = fresh()
      const { failures, delayMs } = afterDeath(this.#failures, livedMs)
      this.#failures = failures
      if (!this.#around.restart || delayMs === 'give up') return this.#giveUp(this.#lastWords(why))
      this.#around.log(`${this.spec.name} ${why}; starting it again${delayMs > 0 ? ` in ${delayMs} ms` : ''}`)
      this.#set('waiting')
      await this.#sleep(delayMs)
      if (this.#run !== run) return
      this.#set('starting')
    }
  }

  /** One life: from the start to the death, why it died, and for how long it had been ready. */
  async #live(run: object): Promise<{ why: string | StackError; livedMs: number }> {
    let child: Child
    try {
      const command = await this.spec.command()
      if (this.#run !== run) return { why: 'was stopped', livedMs: 0 }
      child = new Child(command, this.#around.logFile)
    } catch (error) {
      return { why: error instanceof StackError ? error : `could not be started: ${error}`, livedMs: 0 }
    }
    this.#child = child
    this.#readyAt = undefined
    this.#around.changed()
    const why = await this.#watch(child, run)
    if (this.#run !== run) return { why: 'was stopped', livedMs: 0 }
    const exit = await child.end('SIGKILL', 0) // and what it may have left behind
    this.#around.changed()
    return {
      why: why ?? describeExit(exit),
      livedMs: this.#readyAt === undefined ? 0 : performance.now() - this.#readyAt,
    }
  }

  /** Comes back at the death, with the reason when it is another than the exit. */
  async #watch(child: Child, run: object): Promise<string | StackError | undefined> {
    const overdue = child.startedAt + this.spec.readyMs
    let worker: number | undefined
    while (!child.exit && this.#run === run) {
      if (this.#mode === 'starting') {
        const ready = await this.#probe(child)
        if (this.#run !== run) break
        if (ready) {
          this.#readyAt = performance.now()
          worker = this.spec.worker?.(child)
          this.#set('running')
          this.#readiness.resolve()
        } else if (performance.now() > overdue)
          return this.#lastWords(`was not ready after ${this.spec.readyMs / 1000} s`)
      } else if (this.#mode === 'running') {
        if (this.spec.isWell?.(child) === false) return 'is not well any more'
        const now = this.spec.worker?.(child)
        if (now !== worker && now !== undefined) {
          if (worker !== undefined) this.#around.log(`${this.spec.name}: process ${worker} is gone, ${now} took over`)
          worker = now
          this.#around.changed()
        }
      }
      await Promise.race([child.exited, Bun.sleep(this.#mode === 'starting' ? PROBE_MS : WATCH_MS)])
    }
    return undefined
  }

  async #probe(child: Child): Promise<boolean> {
    try {
      return (await this.spec.isReady(child)) && !child.exit
    } catch {
      return false // a part that does not answer yet refuses in as many ways as there are parts
    }
  }

  #giveUp(error: StackError): void {
    this.#set('failed')
    this.#readiness.reject(error)
    this.#around.failed(error)
  }

  #lastWords(why: string): StackError {
    const last = tailOf(this.#around.logFile, LAST_LINES)
    const said = last === '' ? '' : `. The last lines of ${this.#around.logFile}:\n${last}`
    return new StackError(`${this.spec.name} ${why}${said}`)
  }

  #set(mode: Mode): void {
    this.#mode = mode
    this.#around.changed()
  }

  async #sleep(ms: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const timer = setTimeout(resolve, ms)
    this.#wake = resolve
    await promise
    clearTimeout(timer)
  }
}

function fresh() {
  const readiness = Promise.withResolvers<void>()
  readiness.promise.catch(() => {}) // whoever waits hears of it; nobody has to wait
  return readiness
}

const describeExit = ({ code, signal }: Exit) => (signal === null ? `ended with code ${code}` : `died of ${signal}`)
