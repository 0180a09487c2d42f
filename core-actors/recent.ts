// The ids of a user's newest requests. They are UUIDv7, so they sort by the time of sending.
//
// Everything that was accepted after `floor` is here; what is at or before it is the record's to tell. So the floor
// rises only when the record has what is below it: when its surplus over `MAX_RECENT` was seen there, and when actors
// have forgotten their requests, which they do only then. While the record is behind, more are kept, up to `MAX_KEPT`;
// past that the oldest go all the same, and there is a gap until the record has caught up.

export const MAX_RECENT = 100
export const MAX_KEPT = 10_000
/** Of the surplus, that are looked for in the record at a time. */
const MAX_SURPLUS = 500
/** In one page: those who read it ask the actor of each. */
const MAX_PAGE = 1_000

export interface RecentEntry {
  readonly id: string
  readonly requestID: string
}

export interface RecentState {
  /** '' is before any id. */
  readonly floor: string
  /** Some at or before the floor may be neither here nor in the record yet. */
  readonly gap: boolean
}

export class Recent {
  /** Newest first. */
  #entries: RecentEntry[]
  readonly #ids: Set<string>
  #state: RecentState
  /** The record has them, but not yet all that are older. */
  readonly #forgotten = new Set<string>()

  constructor(entries: readonly RecentEntry[] = [], state: RecentState = { floor: '', gap: false }) {
    this.#entries = [...entries].sort((a, b) => (a.id < b.id ? 1 : -1))
    this.#ids = new Set(entries.map(({ id }) => id))
    this.#state = state
  }

  get state(): RecentState {
    return this.#state
  }

  has(id: string): boolean {
    return this.#ids.has(id)
  }

  add(entry: RecentEntry): void {
    if (entry.id <= this.#state.floor || this.has(entry.id)) return
    const at = this.#entries.findIndex(({ id }) => id < entry.id)
    this.#entries.splice(at === -1 ? this.#entries.length : at, 0, entry)
    this.#ids.add(entry.id)
    const over = this.#entries[MAX_KEPT]
    if (over) this.#raise(over.id, true)
  }

  /** It was not accepted after all. */
  remove(id: string): void {
    if (!this.#ids.delete(id)) return
    this.#entries = this.#entries.filter((entry) => entry.id !== id)
  }

  /** More than are wanted, oldest first: these may go when the record has them. */
  surplus(): string[] {
    const oldest = this.#entries.slice(Math.max(MAX_RECENT, this.#entries.length - MAX_SURPLUS))
    return oldest.map(({ id }) => id).reverse()
  }

  /** @param recorded those of the surplus that the record has */
  recorded(recorded: ReadonlySet<string>): void {
    const surplus = this.#entries.slice(MAX_RECENT).reverse()
    const missing = surplus.findIndex(({ id }) => !recorded.has(id))
    const last = (missing === -1 ? surplus : surplus.slice(0, missing)).at(-1)
    if (last) this.#raise(last.id, this.#state.gap && missing !== -1)
  }

  /** Its actor has forgotten it: the record has it. */
  forgotten(id: string): void {
    if (!this.has(id)) return
    this.#forgotten.add(id)
    const oldestFirst = this.#entries.map((entry) => entry.id).reverse()
    const next = oldestFirst.findIndex((one) => !this.#forgotten.has(one))
    const last = (next === -1 ? oldestFirst : oldestFirst.slice(0, next)).at(-1)
    if (last !== undefined) this.#raise(last, this.#state.gap)
  }

  /** Newest first, those sent before the request `before`, or all; `more`: there are others after them. */
  page(before: string | undefined): { entries: RecentEntry[]; more: boolean } {
    const from = before === undefined ? 0 : this.#entries.findIndex(({ id }) => id < before)
    if (from === -1) return { entries: [], more: false }
    const entries = this.#entries.slice(from, from + MAX_PAGE)
    return { entries, more: from + entries.length < this.#entries.length }
  }

  /** From here on the record tells of `id` and of all before it. */
  #raise(id: string, gap: boolean): void {
    this.#state = { floor: id > this.#state.floor ? id : this.#state.floor, gap }
    const from = this.#entries.findIndex((entry) => entry.id <= id)
    if (from === -1) return
    for (const gone of this.#entries.splice(from)) {
      this.#ids.delete(gone.id)
      this.#forgotten.delete(gone.id)
    }
  }
}
