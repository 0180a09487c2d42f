export interface Entry {
  readonly rows: number
  /** Only entries of one group can go in one batch: the same shapes, the same outputs. */
  readonly group: string
}

/** What waits for a batch. Groups take turns, so that a rare shape is not starved by a common one. */
export class WaitingRows<E extends Entry> {
  readonly #groups = new Map<string, E[]>()
  #rows = 0

  /** Of all groups. */
  get rows(): number {
    return this.#rows
  }

  add(entry: E): void {
    const group = this.#groups.get(entry.group)
    if (group) group.push(entry)
    else this.#groups.set(entry.group, [entry])
    this.#rows += entry.rows
  }

  remove(entry: E): void {
    const group = this.#groups.get(entry.group)
    const at = group?.indexOf(entry) ?? -1
    if (!group || at < 0) return
    group.splice(at, 1)
    if (group.length === 0) this.#groups.delete(entry.group)
    this.#rows -= entry.rows
  }

  /** The next batch: the oldest of a group, at most so many rows, but at least one entry. Empty when none waits. */
  take(maxRows: number): E[] {
    for (const [key, group] of this.#groups) {
      let rows = group[0]?.rows ?? 0
      let count = 1
      while (count < group.length && rows + (group[count]?.rows ?? 0) <= maxRows) rows += group[count++]?.rows ?? 0
      const taken = group.splice(0, count)
      this.#groups.delete(key)
      if (group.length > 0) this.#groups.set(key, group) // its next turn is the last
      this.#rows -= rows
      return taken
    }
    return []
  }
}
