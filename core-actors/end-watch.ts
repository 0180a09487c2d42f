import { aboutOf } from './job-of.ts'
import type { RelayPort } from './relay-port.ts'
import type { OpenRequest } from './request.ts'
import type { RequestLife } from './request-life.ts'

/** After a relay broke: how long to wait before it is asked again. */
const ASK_AGAIN_MS = 250

/** Asks the relay for the end of a request, for as long as it is open. One question at a time. */
export class EndWatch {
  readonly #life: Pick<RequestLife, 'state' | 'end'>
  readonly #relayOf: (request: OpenRequest) => Pick<RelayPort, 'untilEnded'>
  readonly #waitUntil: (promise: Promise<unknown>) => void
  /** Of which request. */
  #asking: OpenRequest['id'] | undefined

  constructor(
    life: Pick<RequestLife, 'state' | 'end'>,
    relayOf: (request: OpenRequest) => Pick<RelayPort, 'untilEnded'>,
    waitUntil: (promise: Promise<unknown>) => void,
  ) {
    this.#life = life
    this.#relayOf = relayOf
    this.#waitUntil = waitUntil
  }

  /** Begins, if it is not under way. */
  begin(): void {
    const { state } = this.#life
    if (state.mode !== 'open' || this.#asking === state.request.id) return
    const { request } = state
    this.#asking = request.id
    const asked = this.#untilEnded(request).finally(() => {
      if (this.#asking === request.id) this.#asking = undefined
    })
    this.#waitUntil(asked)
  }

  async #untilEnded(request: OpenRequest): Promise<void> {
    while (this.#isOpen(request)) {
      try {
        const end = await this.#relayOf(request).untilEnded(request.id, aboutOf(request))
        if (end && this.#isOpen(request)) this.#life.end(end)
      } catch (error) {
        console.warn('the relay broke while an end was awaited', error)
      }
      if (this.#isOpen(request)) await scheduler.wait(ASK_AGAIN_MS)
    }
  }

  /** An actor may forget a request that was refused, and have another by the time of an answer. */
  #isOpen({ id }: OpenRequest): boolean {
    const { state } = this.#life
    return state.mode === 'open' && state.request.id === id
  }
}
