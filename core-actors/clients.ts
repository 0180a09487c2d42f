import type { RequestLife } from './request-life.ts'

/** The clients of a request that is cancelled when the last of them leaves. */
export class Clients {
  readonly #life: Pick<RequestLife, 'state' | 'clientCame' | 'clientLeft'>
  readonly #waitUntil: (promise: Promise<unknown>) => void
  #count = 0

  constructor(
    life: Pick<RequestLife, 'state' | 'clientCame' | 'clientLeft'>,
    waitUntil: (promise: Promise<unknown>) => void,
  ) {
    this.#life = life
    this.#waitUntil = waitUntil
  }

  /** The stream as it is, unless it matters that the client leaves. */
  watched(body: ReadableStream<Uint8Array>): ReadableStream<Uint8Array> {
    const { state } = this.#life
    if (state.mode !== 'open' || state.request.onDisconnect !== 'cancel') return body
    if (this.#count === 0 || state.leftAt !== undefined) this.#life.clientCame()
    this.#count += 1
    const { readable, writable } = new IdentityTransformStream()
    const piped = body.pipeTo(writable).catch(() => {}) // whoever broke it, the client is no longer there
    this.#waitUntil(piped.then(() => this.#left()))
    return readable
  }

  #left(): void {
    this.#count -= 1
    if (this.#count === 0) this.#life.clientLeft()
  }
}
