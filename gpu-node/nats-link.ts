import type { NatsConnection } from '@nats-io/nats-core'

/** The connection broke while an answer was awaited: what was asked may or may not have been done. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted'
}

/** What a connection that comes and goes means for those who wait on it. The client itself reconnects for ever. */
export class NatsLink {
  readonly nc: NatsConnection
  #up = true
  #epoch = 0
  #waiting = new Set<() => void>()
  #interrupts = new Set<() => void>()
  #reconnected = new Set<() => void>()

  constructor(nc: NatsConnection) {
    this.nc = nc
    void this.#watch()
  }

  get up(): boolean {
    return this.#up
  }

  /** How often it has reconnected: after each time the broker may be without what it had. */
  get epoch(): number {
    return this.#epoch
  }

  /** Calls back after every reconnect; the answer takes that back. */
  onReconnect(listener: () => void): () => void {
    this.#reconnected.add(listener)
    return () => this.#reconnected.delete(listener)
  }

  /** The answer of `ask`, or `Interrupted` as soon as the connection breaks: no timeout is waited for. */
  during<T>(ask: () => Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const interrupt = () => reject(new Interrupted('the connection to the broker broke'))
      if (!this.#up) return interrupt()
      this.#interrupts.add(interrupt)
      ask()
        .then(resolve, reject)
        .finally(() => this.#interrupts.delete(interrupt))
    })
  }

  /** Resolves while connected. @throws AbortError */
  async connected(signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted()
    if (this.#up) return
    await new Promise<void>((resolve, reject) => {
      const abort = () => {
        this.#waiting.delete(go)
        reject(signal?.reason)
      }
      const go = () => {
        signal?.removeEventListener('abort', abort)
        resolve()
      }
      this.#waiting.add(go)
      signal?.addEventListener('abort', abort, { once: true })
    })
  }

  async #watch(): Promise<void> {
    for await (const status of this.nc.status()) {
      if (status.type === 'disconnect') {
        this.#up = false
        for (const interrupt of take(this.#interrupts)) interrupt()
      } else if (status.type === 'reconnect') {
        this.#up = true
        this.#epoch++
        for (const go of take(this.#waiting)) go()
        for (const listener of this.#reconnected) listener()
      }
    }
    // Closed for good: whoever waits goes on, and is told by the connection itself.
    for (const go of take(this.#waiting)) go()
    for (const interrupt of take(this.#interrupts)) interrupt()
  }
}

function take<T>(set: Set<T>): T[] {
  const all = [...set]
  set.clear()
  return all
}
