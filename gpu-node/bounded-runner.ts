import { ProblemError } from '@oriel/protocol/problem'
import type { LocalModel, ModelRunner, Output, Run } from './model-runner.ts'
import { aborted } from './or-aborted.ts'

/** Runs of one model that may wait for their turn. */
const MAX_WAITING = 1_024
const RETRY_AFTER_MS = 1_000

interface Turns {
  running: number
  /** Called when it is their turn; in the order of their coming. */
  readonly waiting: Set<() => void>
}

/** Runs of every model at a time as its manifest says; the others wait their turn, for as long as their callers do. */
export class BoundedRunner implements ModelRunner {
  readonly #inner: ModelRunner
  readonly #maxWaiting: number
  readonly #turns = new WeakMap<LocalModel, Turns>()

  constructor(inner: ModelRunner, maxWaiting = MAX_WAITING) {
    this.#inner = inner
    this.#maxWaiting = maxWaiting
  }

  /** @throws ProblemError queue-full, or what the run ended with; `AbortError` */
  async run(run: Run, emit: (output: Output) => void, signal: AbortSignal): Promise<void> {
    const turns = this.#turnsOf(run.model)
    await this.#turn(turns, run.model, signal)
    try {
      await this.#inner.run(run, emit, signal)
    } finally {
      const [next] = turns.waiting
      // The turn is handed on, so that nobody who comes now goes before those who wait.
      if (next) next()
      else turns.running--
    }
  }

  async #turn(turns: Turns, { manifest }: LocalModel, signal: AbortSignal): Promise<void> {
    if (signal.aborted) throw aborted()
    if (turns.running < manifest.limits.concurrency) {
      turns.running++
      return
    }
    if (turns.waiting.size >= this.#maxWaiting) throw full()
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const begin = () => {
      turns.waiting.delete(begin)
      signal.removeEventListener('abort', leave)
      resolve()
    }
    const leave = () => {
      turns.waiting.delete(begin)
      reject(aborted())
    }
    turns.waiting.add(begin)
    signal.addEventListener('abort', leave, { once: true })
    await promise
  }

  #turnsOf(model: LocalModel): Turns {
    const known = this.#turns.get(model)
    if (known) return known
    const turns = { running: 0, waiting: new Set<() => void>() }
    this.#turns.set(model, turns)
    return turns
  }
}

const full = () =>
  new ProblemError({
    kind: 'queue-full',
    detail: 'As many generations wait for this model as may.',
    retryAfterMs: RETRY_AFTER_MS,
  })
