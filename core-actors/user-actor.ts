import { DurableObject } from 'cloudflare:workers'
import { sentAtOf } from '@oriel/protocol/ids'
import type { Limits } from '@oriel/protocol/limits'
import type { Share } from './limits.ts'
import { Meters } from './meters.ts'
import type { RequestRecord } from './record.ts'
import type { Outcome } from './relay-port.ts'
import type { Admission, LeaseOrder, Note, RecentPage, UserPort } from './user-port.ts'
import { UserStore } from './user-store.ts'

/** How long an end may wait to be stored, ms: together with others, or with the next admission. */
const STORE_END_MS = 1_000

const NONE_OPEN = { size: 0, sizeOf: () => 0 }

/** How often it is looked for what the record has. */
const TIDY_AGAIN_MS = 500

/** How long it is believed that the record has nothing else, ms: should that be wrong once, it does not stay wrong. */
const WHOLE_MS = 10 * 60_000

/**
 * The actor of one user: a thin shell over `meters.ts`, `open-requests.ts` and `recent.ts`. It knows which requests
 * there are, never what became of them: that is told by the actor of each.
 */
export abstract class UserActorBase<Env> extends DurableObject<Env> implements UserPort {
  protected abstract readonly limits: Limits
  protected abstract readonly record: Pick<RequestRecord, 'listed'>

  readonly #store = new UserStore(this.ctx.storage)
  readonly #loaded = this.#store.load()
  readonly #recent = this.#loaded.recent
  readonly #open = this.#loaded.open
  #metersMade: Meters | undefined
  /** Ends that are not stored. Were they lost, they would count until their deadline, as an end that was never told. */
  #unstored: string[] = []
  #wholeUntil = 0
  #tidyAt = 0

  async admit(note: Note): Promise<Admission> {
    const now = Date.now()
    const usage = () => this.#meters.usage(note.key, this.#open, now)
    this.#sweep(now)
    if (!this.#knows(note.id)) {
      const refusal = this.#meters.refusal(note, this.#open, now)
      if (refusal) {
        const { detail, retryAfterMs } = refusal
        return { ok: false, problem: { kind: 'limit-exceeded', detail, retryAfterMs }, usage: usage() }
      }
      this.#add(note, true, now)
    }
    return { ok: true, usage: usage() }
  }

  async note(note: Note, open: boolean): Promise<void> {
    if (!this.#knows(note.id)) this.#add(note, open, Date.now())
  }

  async withdraw(note: Note): Promise<void> {
    const { id } = note
    if (!this.#knows(id)) return
    this.#meters.refund(note, sentAtOf(id), Date.now())
    this.#recent.remove(id)
    this.#store.removeRecent(id)
    this.#end(id)
  }

  async lease({ unused, ...wanted }: LeaseOrder): Promise<Outcome<Share>> {
    const now = Date.now()
    const { atLeastBytes, key } = wanted
    if (unused) this.#meters.giveBack({ ...unused, key }, unused.leasedAt, now)
    // A prediction is over before anybody could count it: it is not held to the limit of requests at once.
    const refusal = this.#meters.refusal({ bytes: atLeastBytes, key }, NONE_OPEN, now)
    if (!refusal) return { ok: true, ...this.#meters.lease(wanted, now) }
    const { detail, retryAfterMs } = refusal
    return { ok: false, problem: { kind: 'limit-exceeded', detail, retryAfterMs } }
  }

  async ended(id: string): Promise<void> {
    this.#end(id)
  }

  async forgotten(id: string): Promise<void> {
    this.#end(id)
    this.#changeRecent(() => this.#recent.forgotten(id))
  }

  async recent(before: string | undefined): Promise<RecentPage> {
    this.#tidy()
    const { floor, gap } = this.#recent.state
    const whole = Date.now() < this.#wholeUntil && floor === ''
    return { ...this.#recent.page(before), behind: gap, whole }
  }

  async nothingElse(): Promise<void> {
    this.#wholeUntil = Date.now() + WHOLE_MS
  }

  #knows(id: string): boolean {
    return this.#open.has(id) || this.#recent.has(id)
  }

  #add(note: Note, open: boolean, now: number): void {
    const { id, requestID, deadlineAt, key } = note
    this.#meters.spend(note, now)
    this.#storeEnds()
    if (open) {
      this.#open.add(id, deadlineAt, key?.id)
      this.#store.addOpen(id, deadlineAt, key?.id)
    }
    this.#changeRecent(() => this.#recent.add({ id, requestID }))
    if (this.#recent.has(id)) this.#store.addRecent(id, requestID)
    this.#tidy()
  }

  #changeRecent(change: () => void): void {
    const { state } = this.#recent
    change()
    if (this.#recent.state !== state) this.#store.raiseFloor(this.#recent.state)
  }

  /** Leaves to the record what it has and is more than is wanted here. One question at a time, and not too often. */
  #tidy(): void {
    const now = Date.now()
    const surplus = now < this.#tidyAt ? [] : this.#recent.surplus()
    if (surplus.length === 0) return
    this.#tidyAt = now + TIDY_AGAIN_MS
    const look = async () => {
      const recorded = new Set(await this.record.listed(surplus))
      this.#changeRecent(() => this.#recent.recorded(recorded))
    }
    this.ctx.waitUntil(
      look().catch((error) => console.warn('the record cannot be asked what it has of the recent requests', error)),
    )
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
    for (const id of this.#open.sweep(now, this.limits.concurrent ?? Infinity)) this.#store.removeOpen(id)
  }

  /** Not before it is asked for: the limits are the subclass's. */
  get #meters(): Meters {
    this.#metersMade ??= new Meters(this.limits, this.#store, this.#loaded.meter, this.#loaded.keys)
    return this.#metersMade
  }
}
