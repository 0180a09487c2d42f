import { ProblemError } from '@oriel/protocol/problem'
import type { NamedTensor } from '@oriel/protocol/tensor'
import type { Clock } from '../clock.ts'
import type { Batch } from '../model-hosts.ts'
import { type Gathering, GatherWindow } from './gather-window.ts'
import { answered, type Member, type RunningBatch } from './member.ts'
import type { ModelRequest } from './model-request.ts'
import { partsToTryAgain } from './second-try.ts'
import { deal, together } from './shared-run.ts'
import { WaitingRows } from './waiting-rows.ts'

export interface BatchDone {
  readonly rows: number
  readonly requests: number
  /** How long its oldest request waited. */
  readonly waitedMs: number
  readonly ranMs: number
}

export interface BatcherOptions {
  readonly infer: (batch: Batch, signal: AbortSignal) => Promise<readonly NamedTensor[]>
  /** Rows in one batch; 0 and 1: every request runs alone. */
  readonly maxBatch: number
  /** Batches that run at a time. */
  readonly maxRunning: number
  /** Rows that may wait; a request that would be one too many is refused. */
  readonly maxWaiting: number
  readonly maxWaitingBytes: number
  readonly maxDelayMs: number
  /** Fine: a timer of less than a millisecond is meant. */
  readonly clock: Clock
  readonly onBatch?: (done: BatchDone) => void
}

/** Beyond it a run gains nothing from company, and the copies that it takes are felt. */
const MAX_BATCH_BYTES = 64 * 2 ** 20

/**
 * The requests of one model, put together into batches.
 *
 *     idle ──request──▶ running ──ended──▶ gathering ──enough are back, or the window is over──▶ running, idle
 *                          └──ended, and nobody to wait for──▶ running, idle
 *
 * A batch that fails is run again in halves, down to the row whose fault it is: that one fails alone. Where the host
 * died of it every member runs by itself, since each half would cost a host. Members whose host died of other work
 * run again as they were.
 */
export class Batcher {
  readonly #options: BatcherOptions
  readonly #waiting = new WaitingRows<Member>()
  readonly #again: Member[][] = []
  readonly #window: GatherWindow
  #gathering: (Gathering & { readonly from: number; readonly cancel: () => void }) | undefined
  #running = 0

  constructor(options: BatcherOptions) {
    this.#options = options
    this.#window = new GatherWindow(options.maxDelayMs)
  }

  /**
   * @param patient waits however many wait already
   * @throws ProblemError queue-full, or what the hosts threw; `AbortError`
   */
  predict(request: ModelRequest, signal?: AbortSignal, patient = false): Promise<readonly NamedTensor[]> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(aborted())
      if (!patient && !this.#hasRoomFor(request)) return reject(this.#full())
      const since = this.#options.clock.now()
      const waiting: Member = {
        ...request,
        since,
        resolve,
        reject,
        signal,
        onAbort: undefined,
        losses: 0,
        batch: undefined,
      }
      if (signal) this.#watch(waiting, signal)
      this.#waiting.add(waiting)
      this.#go()
    })
  }

  #hasRoomFor({ rows, bytes }: ModelRequest): boolean {
    const { maxWaiting, maxWaitingBytes } = this.#options
    if (this.#waiting.rows === 0) return true // however large it is, it would never find more
    return this.#waiting.rows + rows <= maxWaiting && this.#waiting.bytes + bytes <= maxWaitingBytes
  }

  #watch(waiting: Member, signal: AbortSignal): void {
    const onAbort = () => {
      waiting.reject(aborted())
      if (!waiting.batch) this.#waiting.remove(waiting)
      else if (--waiting.batch.wanted === 0) waiting.batch.abort.abort()
    }
    waiting.onAbort = onAbort
    signal.addEventListener('abort', onAbort, { once: true })
  }

  #go(): void {
    const { maxRunning, maxBatch } = this.#options
    while (this.#running < maxRunning) {
      const again = this.#again.pop()
      if (!again && this.#gathering) {
        if (this.#waiting.rows < this.#gathering.rows) return
        this.#endGathering()
      }
      const batch = (again ?? this.#waiting.take(maxBatch, MAX_BATCH_BYTES)).filter(({ signal }) => !signal?.aborted)
      if (batch.length > 0) void this.#run(batch)
      else if (!again) return
    }
  }

  async #run(members: readonly Member[]): Promise<void> {
    const { infer, clock, maxBatch, onBatch } = this.#options
    const running: RunningBatch = { wanted: members.length, abort: new AbortController() }
    let rows = 0
    for (const member of members) {
      member.batch = running
      rows += member.rows
    }
    this.#running++
    const began = clock.now()
    let failed = false
    try {
      const outputs = await infer(together(members), running.abort.signal)
      deal(members, outputs)
    } catch (error) {
      failed = true
      this.#fail(members, error)
    }
    this.#running--
    const ranMs = clock.now() - began
    onBatch?.({ rows, requests: members.length, waitedMs: began - (members[0]?.since ?? began), ranMs })
    if (!failed && maxBatch > 1) this.#gather(rows, ranMs)
    this.#go()
  }

  #gather(rows: number, ranMs: number): void {
    const { clock, maxBatch } = this.#options
    const gathering = this.#window.ended(rows, ranMs, this.#waiting.rows, maxBatch)
    if (!gathering) return
    const cancel = clock.setTimer(gathering.ms, () => {
      this.#endGathering()
      this.#go()
    })
    this.#gathering = { ...gathering, from: this.#waiting.rows, cancel }
  }

  #endGathering(): void {
    if (!this.#gathering) return
    const { cancel, from, rows } = this.#gathering
    cancel()
    this.#gathering = undefined
    this.#window.gathered((this.#waiting.rows - from) / (rows - from))
  }

  #fail(members: readonly Member[], error: unknown): void {
    const parts = partsToTryAgain(members, error)
    const kept = new Set(parts.flat())
    for (const member of members) if (!kept.has(member)) answered(member).reject(error)
    this.#again.push(...parts.reverse())
  }

  #full(): ProblemError {
    const { maxBatch } = this.#options
    const batchMs = this.#window.durations.predict(maxBatch) ?? 0
    const retryAfterMs = Math.ceil((batchMs * this.#waiting.rows) / Math.max(1, maxBatch))
    const detail = `As many rows wait for the model on this node as may: ${this.#waiting.rows}.`
    return new ProblemError({ kind: 'queue-full', detail, retryAfterMs })
  }
}

const aborted = () => new DOMException('The request was aborted.', 'AbortError')
