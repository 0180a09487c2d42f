import { ProblemError } from '@oriel/protocol/problem'
import { concatRows, type NamedTensor, sliceRows } from '@oriel/protocol/tensor'
import { BystanderError } from '../bystander-error.ts'
import type { Clock } from '../clock.ts'
import type { Batch } from '../model-hosts.ts'
import { type Gathering, GatherWindow } from './gather-window.ts'
import type { ModelRequest } from './model-request.ts'
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

/** A host that is lost over and over is no place to wait: whoever asked decides. */
const MAX_LOSSES = 2

/** Beyond it a run gains nothing from company, and the copies that it takes are felt. */
const MAX_BATCH_BYTES = 64 * 2 ** 20

interface Waiting extends ModelRequest {
  readonly since: number
  readonly resolve: (outputs: readonly NamedTensor[]) => void
  readonly reject: (error: unknown) => void
  readonly signal: AbortSignal | undefined
  onAbort: (() => void) | undefined
  /** How often it was lost with a host that others, or nobody knows who, brought down. */
  losses: number
  /** Its batch, once it has one. */
  batch: RunningBatch | undefined
}

interface RunningBatch {
  /** Who still wants the answer. */
  wanted: number
  readonly abort: AbortController
}

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
  readonly #waiting = new WaitingRows<Waiting>()
  readonly #again: Waiting[][] = []
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
      const waiting: Waiting = {
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

  #watch(waiting: Waiting, signal: AbortSignal): void {
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

  async #run(members: readonly Waiting[]): Promise<void> {
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

  #fail(members: readonly Waiting[], error: unknown): void {
    const parts = partsToTryAgain(members, error)
    this.#again.push(...parts.reverse())
    if (parts.length === 0) for (const member of members) answered(member).reject(error)
  }

  #full(): ProblemError {
    const { maxBatch } = this.#options
    const batchMs = this.#window.durations.predict(maxBatch) ?? 0
    const retryAfterMs = Math.ceil((batchMs * this.#waiting.rows) / Math.max(1, maxBatch))
    const detail = `As many rows wait for the model on this node as may: ${this.#waiting.rows}.`
    return new ProblemError({ kind: 'queue-full', detail, retryAfterMs })
  }
}

/** Who of a batch that failed goes with whom in the next try; none when another try would be of no use. */
function partsToTryAgain(members: readonly Waiting[], error: unknown): Waiting[][] {
  if (!(error instanceof ProblemError)) return []
  if (error instanceof BystanderError) {
    if (members.some((member) => ++member.losses > MAX_LOSSES)) return []
    // When nobody was caught in the act, the next time must tell.
    return error.suspect ? oneByOne(members) : [[...members]]
  }
  if (members.length === 1) return []
  switch (error.problem.kind) {
    case 'host-crashed':
    case 'host-hung':
      return oneByOne(members)
    case 'inference-failed':
    case 'out-of-memory':
    case 'input-mismatch': {
      const middle = Math.ceil(members.length / 2)
      return [members.slice(0, middle), members.slice(middle)]
    }
    default:
      return []
  }
}

const oneByOne = (members: readonly Waiting[]): Waiting[][] => members.map((member) => [member])

function together(members: readonly Waiting[]): Batch {
  const [first] = members
  if (!first || members.length === 1) return { inputs: first?.inputs ?? [], outputs: first?.outputs }
  const inputs = first.inputs.map((_, index) => concatRows(members.flatMap(({ inputs }) => inputs[index] ?? [])))
  return { inputs, outputs: first.outputs }
}

/** To each its own rows, in the order in which they were put together. */
function deal(members: readonly Waiting[], outputs: readonly NamedTensor[]): void {
  const alone = members.length === 1 // its tensors may have no rows at all
  let at = 0
  for (const member of members) {
    const from = at
    at += member.rows
    const own = alone ? outputs : outputs.map((tensor) => sliceRows(tensor, from, from + member.rows))
    answered(member).resolve(own)
  }
}

/** A caller's signal may outlive the request. */
function answered(member: Waiting): Waiting {
  if (member.onAbort) member.signal?.removeEventListener('abort', member.onAbort)
  return member
}

const aborted = () => new DOMException('The request was aborted.', 'AbortError')
