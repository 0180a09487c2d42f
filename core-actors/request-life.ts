import type { End, OpenRequest, RequestState } from './request.ts'
import { nextAlarm } from './request.ts'
import {
  clearState,
  loadState,
  storeClient,
  storeEnd,
  storeOpen,
  storeRecorded,
  storeReopened,
} from './request-store.ts'

/** What the platform gives the actor of a request. */
export interface LifePort {
  readonly storage: Pick<DurableObjectStorage, 'kv' | 'setAlarm' | 'deleteAlarm' | 'deleteAll'>
  waitUntil(promise: Promise<unknown>): void
  now(): number
  /** How long the record may take, as `LATE_MS`. */
  lateMs(): number
}

/** The state of one request, stored as it changes, and the alarm that follows from it. */
export class RequestLife {
  readonly #port: LifePort
  readonly #unsure: () => boolean
  readonly #over: (request: OpenRequest) => void
  #state: RequestState

  /**
   * @param unsure the broker did not confirm the job or the fact
   * @param over the request has ended
   */
  constructor(port: LifePort, unsure: () => boolean, over: (request: OpenRequest) => void) {
    this.#port = port
    this.#unsure = unsure
    this.#over = over
    this.#state = loadState(port.storage.kv, port.now())
  }

  get state(): RequestState {
    return this.#state
  }

  /** Of an open request that was queued again: the end that its log goes on after. */
  get undone(): End | undefined {
    return this.#state.mode === 'open' ? this.#state.undone : undefined
  }

  open(request: OpenRequest): void {
    storeOpen(this.#port.storage.kv, request)
    this.#become({ mode: 'open', request })
  }

  /** It is queued again: this end is about to be undone. */
  reopen(request: OpenRequest, undone: End): void {
    storeReopened(this.#port.storage.kv, request, undone)
    this.#become({ mode: 'open', request, undone })
  }

  /** The end that was about to be undone may stand. Not stored: it is followed by an end. */
  undoNothing(): void {
    if (this.#state.mode !== 'open') return
    const { request, leftAt } = this.#state
    this.#become({ mode: 'open', request, ...(leftAt !== undefined && { leftAt }) })
  }

  /** Only an open request ends, and not by a failure that was undone. */
  end(end: End): void {
    const undone = end.status === 'failed' && end.n <= (this.undone?.n ?? 0)
    if (this.#state.mode !== 'open' || undone) return
    const { request } = this.#state
    storeEnd(this.#port.storage.kv, end)
    this.#become({ mode: 'ended', request, end, recorded: false })
    this.#over(request)
  }

  /** The record has the whole of this end. */
  recorded(end: End): void {
    if (this.#state.mode !== 'ended' || this.#state.end.n !== end.n) return
    storeRecorded(this.#port.storage.kv, end)
    this.#become({ ...this.#state, recorded: true })
  }

  /** Of a request that is cancelled on disconnect it is stored that it has a client, should this object be reset. */
  clientCame(): void {
    if (this.#state.mode !== 'open') return
    const { request, undone } = this.#state
    storeClient(this.#port.storage.kv, 'here')
    this.#become({ mode: 'open', request, ...(undone && { undone }) })
  }

  /** The last one is gone. */
  clientLeft(): void {
    if (this.#state.mode !== 'open') return
    const leftAt = this.#port.now()
    storeClient(this.#port.storage.kv, leftAt)
    this.#become({ ...this.#state, leftAt })
  }

  async forget(): Promise<void> {
    this.#state = { mode: 'new' }
    await clearState(this.#port.storage)
  }

  wakeAgain(): void {
    const { now, lateMs } = this.#port
    const at = nextAlarm(this.#state, now(), { unsure: this.#unsure(), lateMs: lateMs() })
    if (at !== undefined) this.#port.waitUntil(this.#port.storage.setAlarm(at))
  }

  #become(state: RequestState): void {
    this.#state = state
    this.wakeAgain()
  }
}
