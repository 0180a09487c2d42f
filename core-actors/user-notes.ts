import * as v from 'valibot'
import { inTime } from './in-time.ts'
import { KeyAllowance } from './limits.ts'
import type { OpenRequest } from './request.ts'
import type { Admission, Note, UserPort } from './user-port.ts'

/** A limiter that is slower than this counts as away: requests are let through, and told to it later. */
const ASK_MS = 250
/** Pauses between tries to tell it; after them the request's alarm goes on trying. */
const PAUSES_MS = [500, 1_000, 2_000, 4_000]

const UNNOTED = 'unnoted'
const StoredNote = v.object({
  id: v.string(),
  requestID: v.string(),
  deadlineAt: v.number(),
  bytes: v.number(),
  key: v.optional(KeyAllowance),
})

export const noteOf = ({ id, requestID, deadlineAt }: OpenRequest, bytes: number, key?: KeyAllowance): Note => ({
  id,
  requestID,
  deadlineAt,
  bytes,
  ...(key && { key }),
})

/**
 * What the actor of one request tells the actor of its user. Nothing waits for it longer than `ASK_MS`, and only
 * its own "no" refuses a request. A request that was let through without it is noted as soon as it answers.
 */
export class UserNotes {
  readonly #kv: SyncKvStorage
  readonly #user: (name: string) => UserPort
  readonly #pause: (ms: number) => Promise<unknown>
  /** Accepted, and the user's actor may not know it. */
  #unnoted: Note | undefined

  constructor(kv: SyncKvStorage, user: (name: string) => UserPort, pause: (ms: number) => Promise<unknown>) {
    this.#kv = kv
    this.#user = user
    this.#pause = pause
    this.#unnoted = v.parse(v.optional(StoredNote), kv.get(UNNOTED))
  }

  /** @returns `undefined` when the user's actor did not answer; nothing is stored here before `accepted` */
  admit(user: string, note: Note): Promise<Admission | undefined> {
    return inTime(() => this.#user(user).admit(note), ASK_MS, 'the limits of a user cannot be asked for')
  }

  /** Of a request that was let through without its user's actor; to be noted by `untilNoted`. */
  unasked(note: Note): void {
    this.#unnoted = note
    this.#kv.put(UNNOTED, note)
  }

  /** Tries for a while. `open` says whether the request is still under way. */
  async untilNoted(user: string, open: () => boolean): Promise<void> {
    for (const pause of PAUSES_MS) {
      if (await this.note(user, open())) return
      await this.#pause(pause)
    }
  }

  /** @returns whether the user's actor knows the request */
  async note(user: string, open: boolean): Promise<boolean> {
    const note = this.#unnoted
    if (!note) return true
    try {
      await this.#user(user).note(note, open)
    } catch (error) {
      console.warn('a request cannot be noted by the actor of its user', error)
      return false
    }
    if (this.#unnoted === note) {
      this.#unnoted = undefined
      this.#kv.delete(UNNOTED)
    }
    return true
  }

  /** It was refused elsewhere: it leaves nothing with the user either. */
  async withdraw(user: string, note: Note): Promise<void> {
    this.#unnoted = undefined
    await inTime(() => this.#user(user).withdraw(note), ASK_MS, 'a refused request cannot be taken back')
  }

  async ended(user: string, id: string): Promise<void> {
    await this.note(user, false)
    await inTime(() => this.#user(user).ended(id), ASK_MS, 'an end is not told: it counts until its deadline')
  }

  async forgotten(user: string, id: string): Promise<void> {
    await this.note(user, false)
    await inTime(() => this.#user(user).forgotten(id), ASK_MS, 'a request stays among the recent ones')
  }
}
