import type { ModelRunner, Output, Run } from '../model-runner.ts'

/** A run that a test plays by hand: it yields, ends and fails at command. */
export interface ScriptedRun {
  readonly run: Run
  readonly signal: AbortSignal
  say(response: unknown, ...tokens: number[]): void
  finish(): void
  fail(error: unknown): void
}

export class ScriptedRunner implements ModelRunner {
  readonly runs: ScriptedRun[] = []
  #arrivals: ((run: ScriptedRun) => void)[] = []
  #taken = 0

  run(run: Run, emit: (output: Output) => void, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason), { once: true })
      const scripted: ScriptedRun = {
        run,
        signal,
        say: (response, ...tokens) => {
          if (!signal.aborted) emit(tokens.length > 0 ? { response, tokens } : { response })
        },
        finish: resolve,
        fail: reject,
      }
      this.runs.push(scripted)
      this.#arrivals.shift()?.(scripted)
    })
  }

  /** The next run that begins, or has begun and was not asked for yet. */
  next(): Promise<ScriptedRun> {
    const begun = this.runs[this.#taken++]
    return begun ? Promise.resolve(begun) : new Promise((resolve) => this.#arrivals.push(resolve))
  }
}
