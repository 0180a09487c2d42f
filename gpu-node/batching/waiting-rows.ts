export interface Entry {
  readonly rows: number
  readonly bytes: number
  /** Only entries of one group can go in one batch: the same shapes, the same outputs. */
  readonly group: string
}

/** What waits for a batch. Groups take turns, so that a rare shape is not starved by a common one. */
export class WaitingRows<E extends Entry> {
  readonly #groups = new Map<string, E[]>()
  #rows = 0
  #bytes = 0

  /** Of all groups. */
  get rows(): number {
    return this.#rows
  }

  get bytes(): number {
    return this.#bytes
  }

  add(entry: E): void {
    const group = this.#groups.get(entry.group)
    if (group) group.push(entry)
    else this.#groups.set(entry.group, [entry])
    this.#rows += entry.rows
    this.#bytes += entry.bytes
  }

  remove(entry: E): void {
    const group = this.#groups.get(entry.group)
    const at = group?.indexOf(entry) ?? -1
    if (!group || at < 0) return
    group.splice(at, 1)
    if (group.length === 0) this.#groups.delete(entry.group)
    this.#rows -= entry.rows
    this.#bytes -= entry.bytes
  }

  /** The next batch: the oldest of a group, no more than fit, but at least one entry. Empty when none waits. */
  take(maxRows: number, maxBytes: number): E[] {
    for (const [key, group] of this.#groups) {
      let [rows, bytes, count] = [0, 0, 0]
      for (const entry of group) {
        if (count > 0 && (rows + entry.rows > maxRows || bytes + entry.bytes > maxBytes)) break
        rows += entry.rows
        bytes += entry.bytes
        count++
      }
      const taken = group.splice(0, count)
      this.#groups.delete(key)
      if (group.length > 0) this.#groups.set(key, group) // its next turn is the last
      this.#rows -= rows
      this.#bytes -= bytes
      return taken
    }
    return []
  }
}
