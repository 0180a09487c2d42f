import { DurableObject } from 'cloudflare:workers'
import { sentAtOf } from '@oriel/protocol/ids'
import type { Limits, Usage } from './limits.ts'
import { describeRefusal, refund, refusalOf, spend, usageOf } from './limits.ts'
import type { Admission, Note, RecentPage, UserPort } from './user-port.ts'
import { UserStore } from './user-store.ts'

/** How long an end may wait to be stored, ms: together with others, or with the next admission. */
const STORE_END_MS = 1_000

/** How long it is believed that the record has nothing else, ms: should that be wrong once, it does not stay wrong. */
const WHOLE_MS = 10 * 60_000

/**
 * The actor of one user: a thin shell over `limits.ts`, `open-requests.ts` and `recent.ts`. It knows which requests
 * there are, never what became of them: that is told by the actor of each.
 */
export abstract class UserActorBase<Env> extends DurableObject<Env> implements UserPort {
  protected abstract readonly limits: Limits

  readonly #store = new UserStore(this.ctx.storage)
  readonly #loaded = this.#store.load()
  readonly #recent = this.#loaded.recent
  readonly #open = this.#loaded.open
  #meter = this.#loaded.meter
  /** Ends that are not stored. Were they lost, they would count until their deadline, as an end that was never told. */
  #unstored: string[] = []
  #wholeUntil = 0

  async admit(note: Note): Promise<Admission> {
    const now = Date.now()
    this.#sweep(now)
    if (!this.#knows(note.id)) {
      const refusal = refusalOf(this.#meter, this.limits, this.#open.size, note.bytes, now)
      if (refusal) {
        const { retryAfterMs } = refusal
        const detail = describeRefusal(refusal, this.limits)
        return { ok: false, problem: { kind: 'limit-exceeded', detail, retryAfterMs }, usage: this.#usage(now) }
      }
      this.#add(note, true, now)
    }
    return { ok: true, usage: this.#usage(now) }
  }

  async note(note: Note, open: boolean): Promise<void> {
    if (!this.#knows(note.id)) this.#add(note, open, Date.now())
  }

  async withdraw({ id, bytes }: Note): Promise<void> {
    if (!this.#knows(id)) return
    const now = Date.now()
    this.#meter = refund(this.#meter, this.limits, bytes, sentAtOf(id), now)
    this.#store.putMeter(this.#meter)
    this.#recent.remove(id)
    this.#store.removeRecent(id)
    this.#end(id)
  }

  async ended(id: string): Promise<void> {
    this.#end(id)
  }

  async forgotten(id: string): Promise<void> {
    this.#end(id)
    if (id <= this.#recent.floor) return
    this.#recent.raise(id)
    this.#store.raiseFloor(id)
  }

  async recent(before: string | undefined): Promise<RecentPage> {
    const whole = Date.now() < this.#wholeUntil && this.#recent.floor === ''
    return { entries: this.#recent.page(before), whole }
  }

  async nothingElse(): Promise<void> {
    this.#wholeUntil = Date.now() + WHOLE_MS
  }

  #knows(id: string): boolean {
    return this.#open.has(id) || this.#recent.has(id)
  }

  #add({ id, requestID, deadlineAt, bytes }: Note, open: boolean, now: number): void {
    this.#meter = spend(this.#meter, this.limits, bytes, now)
    this.#store.putMeter(this.#meter)
    this.#storeEnds()
    if (open) {
      this.#open.add(id, deadlineAt)
      this.#store.addOpen(id, deadlineAt)
    }
    const { floor } = this.#recent
    const dropped = this.#recent.add({ id, requestID })
    if (!dropped.includes(id)) this.#store.addRecent(id, requestID)
    if (this.#recent.floor !== floor) this.#store.raiseFloor(this.#recent.floor)
  }

  #end(id: string): void {
    if (!this.#open.has(id)) return
    this.#open.remove(id)
    if (this.#unstored.length === 0) setTimeout(() => this.#storeEnds(), STORE_END_MS)
    this.#unstored.push(id)
  }

  #storeEnds(): void {
    for (const id of this.#unstored.splice(0)) this.#store.removeOpen(id)
  }

  #sweep(now: number): void {
    for (const id of this.#open.sweep(now, this.limits.concurrent)) this.#store.removeOpen(id)
  }

  #usage(now: number): Usage[] {
    return usageOf(this.#meter, this.limits, this.#open.size, now)
  }
}
