import type { Lane } from '@oriel/protocol/subjects'

/*
 * A partition's slots, shared by its lanes. The broker cannot choose between two consumers, so the node does, with
 * two ways to ask one of them for jobs:
 *
 *   watch   one job, as soon as there is one. Its slot is kept until the job comes or the time is over.
 *   take    what waits, now. Its slots are free again as soon as the broker has answered.
 *
 * A quiet lane is watched, so that its first job comes at once; every job tells how many wait behind it, and a lane
 * where some do is taken from, with as many questions on their way as there are free slots for.
 */

/** How many jobs go in one take: few enough that nodes which ask at the same time share a burst. */
const TAKE = 8
/** While both lanes wait, batch gets one slot in so many that free up. */
export const BATCH_EVERY = 8

export interface Ask {
  readonly lane: Lane
  readonly how: 'watch' | 'take'
  readonly jobs: number
  /** A watch that keeps the last free slots from the other lane: it must soon give them up. */
  readonly brief: boolean
}

interface LaneState {
  busy: number
  /** Jobs that the broker may still send. */
  asked: number
  /** Jobs that wait at the broker, as it last said; undefined when that was too long ago. */
  waiting: number | undefined
}

const quiet = (): LaneState => ({ busy: 0, asked: 0, waiting: undefined })

/** Which lane is asked next for how many jobs. Interactive goes first, and batch never starves. */
export class LaneShare {
  readonly slots: number
  readonly #interactive = quiet()
  readonly #batch = quiet()
  /** Interactive jobs that came, or were asked for, since batch was last asked. */
  #sinceBatch = 0

  constructor(slots: number) {
    this.slots = slots
  }

  get busy(): number {
    return this.#interactive.busy + this.#batch.busy
  }

  /** Slots that are neither busy nor promised. */
  get free(): number {
    return this.slots - this.busy - this.#interactive.asked - this.#batch.asked
  }

  /** What to ask now; it counts as asked. Undefined when there is nothing more to ask. */
  next(): Ask | undefined {
    if (this.free <= 0) return undefined
    const ask = this.#choose()
    if (!ask) return undefined
    this.#lane(ask.lane).asked += ask.jobs
    this.#sinceBatch = ask.lane === 'batch' ? 0 : this.#sinceBatch + ask.jobs
    return ask
  }

  /** A job has come, and behind it wait `waiting` more. */
  delivered(lane: Lane, waiting: number): void {
    const state = this.#lane(lane)
    state.asked--
    state.busy++
    state.waiting = waiting
  }

  /** The broker has no more jobs: `left` of those that were asked for will not come. */
  ended(lane: Lane, left: number): void {
    this.#withdraw(lane, left)
    this.#lane(lane).waiting = 0
    if (lane === 'interactive') this.#grownOld(this.#batch)
  }

  /** The broker will not answer: `left` jobs may not come. */
  lost(lane: Lane, left: number): void {
    this.#withdraw(lane, left)
    this.#lane(lane).waiting = undefined
  }

  /** A job's slot is free. */
  freed(lane: Lane): void {
    this.#lane(lane).busy--
    this.#grownOld(this.#interactive)
    this.#grownOld(this.#batch)
  }

  #choose(): Ask | undefined {
    const interactive = this.#interactive
    const batch = this.#batch
    const mayBatch = batch.asked === 0 && this.#batchRoom > 0
    const unasked = (interactive.waiting ?? 0) - interactive.asked
    if (unasked > 0) {
      if (mayBatch && this.#sinceBatch >= BATCH_EVERY - 1) return take('batch', 1)
      const beforeBatch = Math.max(1, BATCH_EVERY - 1 - this.#sinceBatch)
      return take('interactive', Math.min(unasked, this.free, TAKE, beforeBatch))
    }
    if (interactive.asked > 0) return this.#chooseBatch()
    // The last slot goes to batch only right after interactive was seen to be empty.
    if (this.free === 1 && mayBatch) {
      if (interactive.waiting === undefined && batch.waiting) return take('interactive', 1)
      if (interactive.waiting === 0 && batch.waiting !== 0) return take('batch', 1)
    }
    return this.#watch('interactive')
  }

  #chooseBatch(): Ask | undefined {
    const { asked, waiting } = this.#batch
    const room = Math.min(this.free, this.#batchRoom)
    const unasked = (waiting ?? 0) - asked
    if (room <= 0) return undefined
    if (unasked > 0) return take('batch', Math.min(unasked, room, TAKE))
    return asked === 0 ? this.#watch('batch') : undefined
  }

  /** Of several slots one is never batch's, so that an interactive job finds a place beside long batch jobs. */
  get #batchRoom(): number {
    return Math.max(1, this.slots - 1) - this.#batch.busy - this.#batch.asked
  }

  #watch(lane: Lane): Ask {
    const other = lane === 'interactive' ? this.#batch : this.#interactive
    const wanted = lane === 'batch' || other.asked > 0 || this.#batchRoom > 0
    const left = this.free - 1 - (other.asked === 0 ? 1 : 0)
    return { lane, how: 'watch', jobs: 1, brief: wanted && left <= 0 }
  }

  #withdraw(lane: Lane, jobs: number): void {
    this.#lane(lane).asked -= jobs
    if (lane === 'interactive') this.#sinceBatch = Math.max(0, this.#sinceBatch - jobs)
  }

  /** That a lane was empty is true for a moment only. */
  #grownOld(state: LaneState): void {
    if (state.asked === 0 && state.waiting === 0) state.waiting = undefined
  }

  #lane(lane: Lane): LaneState {
    return lane === 'interactive' ? this.#interactive : this.#batch
  }
}

const take = (lane: Lane, jobs: number): Ask => ({ lane, how: 'take', jobs, brief: false })
