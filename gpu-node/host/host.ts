import type { EngineName } from '@oriel/protocol/manifest'
import { type Problem, ProblemError } from '@oriel/protocol/problem'
import type { Engine, Session } from '../engines/engine.ts'
import type { GraphSignature } from '../graph-signature.ts'
import { type FromHost, ownMemory, type ToHost } from './messages.ts'
import type { Steps } from './steps.ts'

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
}

/** The inside of a model host: sessions by model, and the work in them. Work that throws fails alone. */
export class Host {
  readonly #options: HostOptions
  readonly #sessions = new Map<string, Session>()
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
        return this.#options.send({ type: 'pong', rssBytes: process.memoryUsage.rss() })
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

  async #load({ work, model, dir, manifest }: Load): Promise<undefined> {
    const { engines, threads, steps } = this.#options
    const session = await steps.take(work, () => engines[manifest.engine].load({ dir, manifest }, { threads }))
    await this.#unload(model)
    this.#sessions.set(model, session)
  }

  async #unload(model: string): Promise<void> {
    const session = this.#sessions.get(model)
    this.#sessions.delete(model)
    await session?.dispose()
  }

  async #infer({ work, model, inputs, outputs }: Infer): Promise<FromHost | undefined> {
    const session = this.#session(model, 'batch')
    const abort = new AbortController()
    this.#runs.set(work, abort)
    try {
      const found = await this.#options.steps.take(work, () =>
        abort.signal.aborted ? undefined : session.infer(inputs, outputs),
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

  #session<K extends Session['kind']>(model: string, kind: K): Extract<Session, { kind: K }> {
    const session = this.#sessions.get(model)
    if (!session) throw new ProblemError({ kind: 'model-unavailable', detail: `${model} is not loaded.` })
    if (session.kind !== kind) throw new Error(`${model} answers with a ${session.kind}, not with a ${kind}.`)
    return session as Extract<Session, { kind: K }>
  }
}
