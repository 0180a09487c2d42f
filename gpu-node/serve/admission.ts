/** Bounds what all requests together may hold in memory: beyond it a request is refused before its body is read. */
export class Admission {
  readonly #maxRequests: number
  readonly #maxBytes: number
  #requests = 0
  #bytes = 0

  constructor(maxRequests: number, maxBytes: number) {
    this.#maxRequests = maxRequests
    this.#maxBytes = maxBytes
  }

  get requests(): number {
    return this.#requests
  }

  /** A request that is alone is always admitted: its own size is somebody else's limit. */
  enter(bytes: number): boolean {
    if (this.#requests >= this.#maxRequests) return false
    if (this.#requests > 0 && this.#bytes + bytes > this.#maxBytes) return false
    this.#requests++
    this.#bytes += bytes
    return true
  }

  /** What is inside turns out to be larger. False: it must leave. */
  grow(bytes: number): boolean {
    if (this.#requests > 1 && this.#bytes + bytes > this.#maxBytes) return false
    this.#bytes += bytes
    return true
  }

  leave(bytes: number): void {
    this.#requests--
    this.#bytes -= bytes
  }
}
