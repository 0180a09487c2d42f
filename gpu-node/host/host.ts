import type { EngineName } from '@oriel/protocol/manifest'
import { type Problem, ProblemError } from '@oriel/protocol/problem'
import type { Engine, Session } from '../engines/engine.ts'
import type { GraphSignature } from '../graph-signature.ts'
import { type FromHost, ownMemory, type ToHost } from './messages.ts'
import type { Steps } from './steps.ts'
import { warmUp } from './warm-up.ts'

type Inspect = Extract<ToHost, { type: 'inspect' }>
type Load = Extract<ToHost, { type: 'load' }>
type Run = Extract<ToHost, { type: 'run' }>
type Infer = Extract<ToHost, { type: 'infer' }>

export interface HostOptions {
  readonly engines: Record<EngineName, Engine>
  readonly inspect: (file: string) => Promise<GraphSignature>
  readonly threads: number
  readonly steps: Steps
  readonly send: (message: FromHost) => void
  /** Of this process. */
  readonly rssBytes: () => number
}

interface Resident {
  readonly session: Session
  /** By how much the process grew when it was loaded, and when it ran on more than ever before. */
  bytes: number
  /** Bytes of the largest inputs that it ran on: the runtime keeps what it needed for them. */
  largest: number
}

/** The inside of a model host: sessions by model, and the work in them. Work that throws fails alone. */
export class Host {
  readonly #options: HostOptions
  readonly #residents = new Map<string, Resident>()
  readonly #runs = new Map<number, AbortController>()

  constructor(options: HostOptions) {
    this.#options = options
  }

  async receive(message: ToHost): Promise<void> {
    switch (message.type) {
      case 'inspect':
        return this.#work(message.work, () => this.#inspect(message), {
          kind: 'model-unavailable',
          detail: 'The graph could not be read.',
        })
      case 'load':
        return this.#work(message.work, () => this.#load(message), {
          kind: 'model-unavailable',
          detail: 'The engine could not load the model.',
        })
      case 'run':
        return this.#work(message.work, () => this.#run(message), {
          kind: 'inference-failed',
          detail: 'The engine failed on this input.',
        })
      case 'infer':
        return this.#work(message.work, () => this.#infer(message), {
          kind: 'inference-failed',
          detail: 'The engine failed on this input.',
        })
      case 'abort':
        return this.#runs.get(message.work)?.abort()
      case 'unload':
        return this.#unload(message.model)
      case 'ping':
        return this.#options.send({ type: 'pong', rssBytes: this.#options.rssBytes() })
    }
  }

  /** @param action its answer is the end of the work; without one the end is `done` */
  async #work(work: number, action: () => Promise<FromHost | undefined>, bug: Problem): Promise<void> {
    const { send } = this.#options
    try {
      send((await action()) ?? { type: 'done', work })
    } catch (error) {
      if (error instanceof ProblemError) return send({ type: 'failed', work, problem: error.problem })
      console.error(error)
      send({ type: 'failed', work, problem: bug })
    }
  }

  async #inspect({ work, file }: Inspect): Promise<undefined> {
    const { inspect, steps, send } = this.#options
    send({ type: 'output', work, response: await steps.take(work, () => inspect(file)) })
  }

  /** With its warm-up: a version that has not run once is not loaded. */
  async #load({ work, model, dir, manifest }: Load): Promise<FromHost> {
    const { engines, threads, steps, rssBytes } = this.#options
    const resident = await steps.take(work, async () => {
      const before = rssBytes()
      const began = performance.now()
      const session = await engines[manifest.engine].load({ dir, manifest }, { threads })
      await warmUp(session, manifest)
      const bytes = Math.max(0, rssBytes() - before)
      return { session, bytes, largest: 0, tookMs: performance.now() - began }
    })
    this.#residents.set(model, resident)
    return { type: 'loaded', work, bytes: resident.bytes, tookMs: resident.tookMs }
  }

  async #unload(model: string): Promise<void> {
    const resident = this.#residents.get(model)
    this.#residents.delete(model)
    await this.#options.steps.take(0, () => resident?.session.dispose())
    this.#options.send({ type: 'unloaded', model })
  }

  async #infer({ work, model, inputs, outputs }: Infer): Promise<FromHost | undefined> {
    const session = this.#session(model, 'batch')
    const size = sizeOf(inputs)
    const abort = new AbortController()
    this.#runs.set(work, abort)
    try {
      const found = await this.#options.steps.take(work, () =>
        abort.signal.aborted ? undefined : this.#measured(model, size, () => session.infer(inputs, outputs)),
      )
      return found && { type: 'inferred', work, outputs: ownMemory(found) }
    } finally {
      this.#runs.delete(work)
    }
  }

  async #run({ work, model, ...task }: Run): Promise<undefined> {
    const { steps, send } = this.#options
    const session = this.#session(model, 'stream')
    const abort = new AbortController()
    this.#runs.set(work, abort)
    try {
      await session.run(task, {
        signal: abort.signal,
        step: (action) =>
          steps.take(work, () => {
            abort.signal.throwIfAborted()
            return action()
          }),
        emit: (output) => {
          if (!abort.signal.aborted) send({ type: 'output', work, ...output })
        },
      })
    } catch (error) {
      if (!abort.signal.aborted) throw error
    } finally {
      this.#runs.delete(work)
    }
  }

  /** A run on more than ever before is looked at: what the runtime takes for it, it keeps. */
  async #measured<T>(model: string, size: number, run: () => Promise<T>): Promise<T> {
    const resident = this.#residents.get(model)
    if (!resident || size <= resident.largest) return run()
    const { rssBytes, send } = this.#options
    resident.largest = size
    const before = rssBytes()
    try {
      return await run()
    } finally {
      const grown = rssBytes() - before
      if (grown > 0) {
        resident.bytes += grown
        send({ type: 'grew', model, bytes: resident.bytes })
      }
    }
  }

  #session<K extends Session['kind']>(model: string, kind: K): Extract<Session, { kind: K }> {
    const session = this.#residents.get(model)?.session
    if (!session) throw new ProblemError({ kind: 'model-unavailable', detail: `${model} is not loaded.` })
    if (session.kind !== kind) throw new Error(`${model} answers with a ${session.kind}, not with a ${kind}.`)
    return session as Extract<Session, { kind: K }>
  }
}

const sizeOf = (tensors: Infer['inputs']): number =>
  tensors.reduce((sum, { values }) => sum + (ArrayBuffer.isView(values) ? values.byteLength : textBytes(values)), 0)

const textBytes = (texts: readonly string[]) => texts.reduce((sum, text) => sum + text.length, 0)
