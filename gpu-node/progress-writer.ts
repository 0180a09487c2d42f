import type { NewEvent } from '@oriel/protocol/event'
import type { LogState } from '@oriel/protocol/log'
import { ProblemError } from '@oriel/protocol/problem'
import { MAX_PAYLOAD_BYTES } from '@oriel/protocol/streams'
import type { Clock } from './clock.ts'
import type { LogAuthor, Loss } from './log-author.ts'
import type { Output } from './model-runner.ts'
import { ResponseBuffer } from './response-buffer.ts'

/*
 * open ──end()/close()──▶ closing (what is buffered goes out) ──▶ closed
 *   └──── fenced, or an answer that is too large ────────────────▶ closed, onStop
 */

/** Bytes of one response as JSON: the largest that fits a message of the broker with its envelope. */
export const MAX_RESPONSE_BYTES = (MAX_PAYLOAD_BYTES * 3) / 4

export interface ProgressWriterOptions {
  readonly author: LogAuthor
  readonly clock: Clock
  /** The least time between two events of responses: what comes sooner is merged. */
  readonly coalesceMs: number
  /** A sign of life at least this often, also from a model that yields nothing until it is done. */
  readonly progressMs: number
  /** The run is not wanted any more. Called once at most. */
  readonly onStop: (why: Loss | ProblemError) => void
}

/** Writes one run's outputs into the request's log, one publish at a time, in order. */
export class ProgressWriter {
  readonly #options: ProgressWriterOptions
  readonly #buffer = new ResponseBuffer()
  #mode: 'open' | 'closing' | 'closed' = 'open'
  #stopped: Loss | ProblemError | undefined
  #writing: Promise<void> | undefined
  #lastWriteAt = Number.NEGATIVE_INFINITY
  #progressDue = false
  #cancelFlush: (() => void) | undefined
  #cancelProgress: (() => void) | undefined

  constructor(options: ProgressWriterOptions) {
    this.#options = options
    this.#armProgress()
  }

  emit(output: Output): void {
    if (this.#mode !== 'open') return
    if (isTooLarge(output.response)) {
      const detail = `The model's answer is over the limit of ${MAX_RESPONSE_BYTES} bytes.`
      this.#stop(new ProblemError({ kind: 'too-large', detail }))
      return
    }
    this.#buffer.add(output)
    this.#schedule()
  }

  /** Writes what is buffered and then the last event. Answers why not, when this node was not the one to write it. */
  async end(last: NewEvent | ((state: LogState) => NewEvent)): Promise<Loss | undefined> {
    const loss = await this.close()
    return loss ?? (await this.#options.author.append(last))
  }

  /** Writes what is buffered and no more. */
  async close(): Promise<Loss | undefined> {
    if (this.#mode === 'open') this.#mode = 'closing'
    this.#disarm()
    while (this.#writing) await this.#writing
    this.#progressDue = false
    while (!this.#loss && this.#buffer.ready) await this.#write()
    this.#mode = 'closed'
    return this.#loss
  }

  get #loss(): Loss | undefined {
    return this.#stopped instanceof ProblemError ? undefined : this.#stopped
  }

  #schedule(): void {
    if (this.#mode !== 'open' || this.#writing || this.#cancelFlush) return
    if (!this.#progressDue && !this.#buffer.ready) return
    const { clock, coalesceMs } = this.#options
    const waitMs = this.#progressDue ? 0 : this.#lastWriteAt + coalesceMs - clock.now()
    if (waitMs > 0) {
      this.#cancelFlush = clock.setTimer(waitMs, () => {
        this.#cancelFlush = undefined
        this.#begin()
      })
    } else this.#begin()
  }

  #begin(): void {
    this.#writing = this.#write().finally(() => {
      this.#writing = undefined
      this.#schedule()
    })
  }

  /** One event. A failure that is not the fence's stops the run, which then reports it. */
  async #write(): Promise<void> {
    const { author, clock } = this.#options
    const event = this.#buffer.take() ?? this.#progress()
    if (!event) return
    this.#lastWriteAt = clock.now()
    try {
      const loss = await author.append(event)
      if (loss) this.#stop(loss)
    } catch (error) {
      this.#stop(new ProblemError({ kind: 'internal', detail: 'The log could not be written.' }, { cause: error }))
    }
  }

  #progress(): NewEvent | undefined {
    if (!this.#progressDue) return undefined
    this.#progressDue = false
    const { author, clock } = this.#options
    return { type: 'progress', elapsedMs: Math.max(0, clock.now() - (author.state.startedAt ?? clock.now())) }
  }

  #armProgress(): void {
    const { clock, progressMs } = this.#options
    this.#cancelProgress = clock.setTimer(progressMs, () => {
      this.#progressDue = true
      this.#armProgress()
      this.#schedule()
    })
  }

  #stop(why: Loss | ProblemError): void {
    if (this.#stopped) return
    this.#stopped = why
    this.#mode = 'closed'
    this.#disarm()
    this.#options.onStop(why)
  }

  #disarm(): void {
    this.#cancelFlush?.()
    this.#cancelProgress?.()
    this.#cancelFlush = undefined
    this.#cancelProgress = undefined
  }
}

function isTooLarge(response: unknown): boolean {
  // A UTF-16 unit takes six bytes of JSON at most, so most texts need no counting.
  if (typeof response === 'string' && response.length * 6 + 2 <= MAX_RESPONSE_BYTES) return false
  return Buffer.byteLength(JSON.stringify(response) ?? '') > MAX_RESPONSE_BYTES
}
