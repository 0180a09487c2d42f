/**
 * Which files lie in the cache, how many bytes they have together, and which go first: those that were used longest ago
 * and that nobody holds.
 */
export class DiskBudget {
  readonly #maxBytes: number
  /** Bytes of each, in the order of their last use. */
  readonly #entries = new Map<string, number>()
  /** Of those that are held, there or not. */
  readonly #holds = new Map<string, number>()
  #bytes = 0

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  get bytes(): number {
    return this.#bytes
  }

  /** `undefined`: it is not there. */
  bytesOf(file: string): number | undefined {
    return this.#entries.get(file)
  }

  /** Nobody takes it away until the answer is called, also when it comes only now. */
  hold(file: string): () => void {
    this.#holds.set(file, (this.#holds.get(file) ?? 0) + 1)
    let held = true
    return () => {
      const holds = this.#holds.get(file) ?? 0
      if (!held) return
      held = false
      if (holds > 1) this.#holds.set(file, holds - 1)
      else this.#holds.delete(file)
    }
  }

  used(file: string): void {
    const bytes = this.#entries.get(file)
    if (bytes === undefined) return
    this.#entries.delete(file)
    this.#entries.set(file, bytes)
  }

  /**
   * Room for a file, which counts from now on.
   * @returns those that have to go; `undefined` when even without all that nobody holds there is no room
   */
  reserve(file: string, bytes: number): string[] | undefined {
    this.forget(file)
    const going: string[] = []
    let room = this.#maxBytes - this.#bytes
    for (const [other, size] of this.#entries) {
      if (room >= bytes) break
      if (this.#holds.has(other)) continue
      going.push(other)
      room += size
    }
    if (room < bytes) return undefined
    for (const other of going) this.forget(other)
    this.#entries.set(file, bytes)
    this.#bytes += bytes
    return going
  }

  forget(file: string): void {
    this.#bytes -= this.#entries.get(file) ?? 0
    this.#entries.delete(file)
  }
}
