// The ids of a user's newest requests. They are UUIDv7, so they sort by the time of sending.
//
// Everything that was accepted after `floor` is here; what is at or before it is the record's to tell. The
// floor rises when there are more than `MAX_RECENT`, and when an actor has forgotten its request, which
// it does only when the record has it.

export const MAX_RECENT = 100

export interface RecentEntry {
  readonly id: string
  readonly requestID: string
}

export class Recent {
  /** Newest first. */
  #entries: RecentEntry[]
  #floor: string

  /** @param floor '' is before any id */
  constructor(entries: readonly RecentEntry[] = [], floor = '') {
    this.#entries = [...entries].sort((a, b) => (a.id < b.id ? 1 : -1))
    this.#floor = floor
  }

  get floor(): string {
    return this.#floor
  }

  has(id: string): boolean {
    return this.#entries.some((entry) => entry.id === id)
  }

  /** @returns the ids that are no longer here, maybe its own */
  add(entry: RecentEntry): string[] {
    if (entry.id <= this.#floor) return [entry.id]
    if (this.has(entry.id)) return []
    const at = this.#entries.findIndex(({ id }) => id < entry.id)
    this.#entries.splice(at === -1 ? this.#entries.length : at, 0, entry)
    const over = this.#entries[MAX_RECENT]
    return over ? this.raise(over.id) : []
  }

  /** It was not accepted after all. */
  remove(id: string): void {
    this.#entries = this.#entries.filter((entry) => entry.id !== id)
  }

  /** From here on the record tells of `id` and of all before it. @returns the ids that are no longer here */
  raise(id: string): string[] {
    if (id <= this.#floor) return []
    this.#floor = id
    const gone = this.#entries.filter((entry) => entry.id <= id)
    this.#entries = this.#entries.filter((entry) => entry.id > id)
    return gone.map((entry) => entry.id)
  }

  /** Newest first, those sent before the request `before`, or all. */
  page(before: string | undefined): RecentEntry[] {
    return before === undefined ? [...this.#entries] : this.#entries.filter(({ id }) => id < before)
  }
}
