import { DurableObject } from 'cloudflare:workers'
import type { RequestEvent, Status } from '@oriel/protocol/event'
import { isTerminal } from '@oriel/protocol/event'
import type { Accepted } from '@oriel/protocol/fact'
import { sentAtOf } from '@oriel/protocol/ids'
import { foldAll } from '@oriel/protocol/log'
import type { Problem } from '@oriel/protocol/problem'
import { DUPLICATE_WINDOW_MS } from '@oriel/protocol/streams'
import { liveReader } from './live-reader.ts'
import type { RequestRecord } from './record.ts'
import type { Outcome, RelayPort } from './relay-port.ts'
import type { End, OpenRequest, RequestState } from './request.ts'
import { dutyAt, nextAlarm } from './request.ts'
import { RequestLog } from './request-log.ts'
import { clearState, loadState, loadUnsure, storeClient, storeEnd, storeOpen, storeUnsure } from './request-store.ts'
import { sseDocument } from './sse.ts'

/** What the edge has checked: a request that a model takes. */
export type Draft = Omit<OpenRequest, 'sentAt' | 'deadlineAt'> & { readonly timeoutMs: number }

export interface Standing {
  readonly requestID: string
  readonly status: Status
  readonly sentAt: number
}

export interface Snapshot {
  readonly request: OpenRequest
  readonly status: Status
  readonly events: RequestEvent[]
}

/** `record`: this actor does not know the request, or its log is gone; Postgres has it if anyone has. */
export type Streaming =
  | { readonly kind: 'live'; readonly body: ReadableStream<Uint8Array> }
  | { readonly kind: 'whole'; readonly text: string }
  | { readonly kind: 'over' }
  | { readonly kind: 'record' }
  | { readonly kind: 'refused'; readonly problem: Problem }

/** The actor of one request: a thin shell over `request.ts`, which holds the rules of its life. */
export abstract class RequestActorBase<Env> extends DurableObject<Env> {
  protected abstract readonly record: RequestRecord
  protected abstract relayOf(request: OpenRequest): RelayPort

  #state: RequestState = loadState(this.ctx.storage.kv, Date.now())
  #log = this.#state.mode === 'new' ? undefined : this.#logOf(this.#state.request)
  #readers = 0
  #unsure = loadUnsure(this.ctx.storage.kv)
  #dispatchNumber = 1
  #admissions: Promise<unknown> = Promise.resolve()

  /** Admits the request, or answers for the one that is here: the same body is the same request. One at a time. */
  submit(draft: Draft): Promise<Outcome<Standing>> {
    const admission = this.#admissions.then(() => this.#admit(draft))
    this.#admissions = admission.catch(() => undefined) // told to its caller; the next one starts afresh
    return admission
  }

  async #admit(draft: Draft): Promise<Outcome<Standing>> {
    if (this.#state.mode !== 'new') return repeat(draft, this.#state.request.bodyHash, this.#standing(this.#state))
    const { timeoutMs, ...rest } = draft
    // A request that is named by its own id cannot have been sent before.
    const recorded = draft.requestID === draft.id ? undefined : await this.#lookUp(draft.user, draft.requestID)
    if (recorded) return repeat(draft, recorded.bodyHash, recorded)
    const sentAt = sentAtOf(draft.id)
    const request = { ...rest, sentAt, deadlineAt: sentAt + timeoutMs }
    storeOpen(this.ctx.storage.kv, request)
    this.#become({ mode: 'open', request })
    this.#log = this.#logOf(request)
    const refused = await this.#dispatch(request)
    if (refused) {
      await this.#forget()
      return { ok: false, problem: refused }
    }
    return { ok: true, ...this.#standing({ mode: 'open', request }) }
  }

  /** Postgres being away must not refuse a request: then only an id older than the actor's memory is not known. */
  async #lookUp(user: string, requestID: string) {
    try {
      return await this.record.find(user, requestID)
    } catch (error) {
      console.warn('the record cannot be asked for an earlier request of the same id', error)
      return undefined
    }
  }

  /**
   * Sends the job, and the fact that it was accepted. A problem means that nothing was accepted; what is
   * uncertain is noted, and sent again by the alarm.
   */
  async #dispatch(request: OpenRequest): Promise<Problem | undefined> {
    try {
      const job = jobOf(request, this.#dispatchNumber)
      const outcome = await this.relayOf(request).submit({ job, accepted: acceptedOf(request) })
      if (!outcome.ok) return outcome.problem
      this.#setUnsure(!outcome.certain)
      this.#log?.follow(outcome.events)
    } catch (error) {
      console.warn('the relay broke during a submit; the alarm will send the job again', error)
      this.#setUnsure(true)
    }
    return undefined
  }

  #setUnsure(unsure: boolean): void {
    if (this.#unsure === unsure) return
    this.#unsure = unsure
    storeUnsure(this.ctx.storage.kv, unsure)
  }

  /** Streams the events after number `after`. */
  async events(after: number): Promise<Streaming> {
    const state = this.#state
    const log = this.#log
    if (state.mode === 'new' || !log) return { kind: 'record' }
    if (state.mode === 'ended') {
      if (after > state.end.n) return refused(after)
      if (after === state.end.n) return { kind: 'over' }
      const events = await log.readEnded()
      return events ? { kind: 'whole', text: sseDocument(events, after) } : { kind: 'record' }
    }
    if (after > log.feed.state.n) await log.catchUp()
    // A log that the broker lost began anew: the client's number was issued in the one before.
    if (after > log.feed.state.n && this.#dispatchNumber === 1) return refused(after)
    if (log.feed.state.terminal?.n === after) return { kind: 'over' }
    log.follow()
    this.#attached()
    this.#readers += 1
    const relay = this.relayOf(state.request)
    const body = liveReader({
      feed: log.feed,
      after,
      read: async (sequence) => {
        const page = await relay.read(state.request.id, sequence)
        if (!page.ok) throw new Error(page.problem.detail)
        return page.entries
      },
      onClose: (left) => this.#readerClosed(left),
    })
    return { kind: 'live', body }
  }

  /** The request and its log so far; `undefined` when the record must be asked. */
  async snapshot(): Promise<Snapshot | undefined> {
    const state = this.#state
    if (state.mode === 'new' || !this.#log) return undefined
    const events = await (state.mode === 'ended' ? this.#log.readEnded() : this.#log.readAll())
    return events && { request: state.request, status: foldAll(events).status, events }
  }

  /** Cancels an open request; answers where it stands then, or `undefined` when the record must be asked. */
  async cancel(): Promise<Outcome<{ standing: Standing | undefined }>> {
    const state = this.#state
    if (state.mode === 'new') return { ok: true, standing: undefined }
    if (state.mode === 'open') {
      const problem = await this.#end(state.request, 'cancelled')
      if (problem) return { ok: false, problem }
    }
    return { ok: true, standing: this.#state.mode === 'new' ? undefined : this.#standing(this.#state) }
  }

  override async alarm(): Promise<void> {
    const state = this.#state
    try {
      const duty = dutyAt(state, Date.now())
      if (state.mode === 'open') {
        if (duty === 'expire') await this.#end(state.request, 'expired')
        else if (duty === 'cancel') await this.#end(state.request, 'cancelled')
        else await this.#supervise(state.request)
      } else if (state.mode === 'ended') {
        if (this.#unsure) await this.#acceptAgain(state.request)
        if (duty === 'forget' && (await this.record.isRecorded(state.request.id))) return await this.#forget()
      }
    } catch (error) {
      console.warn('an alarm did not reach its end and will be repeated', error)
    }
    this.#wakeAgain()
  }

  /** Nobody may be streaming: notices an end that was missed, and a job that is not where it should be. */
  async #supervise(request: OpenRequest): Promise<void> {
    const log = this.#log
    if (!log) return
    if (await log.isLost()) {
      log.feed.restart()
      this.#dispatchNumber += 1
    }
    await log.catchUp()
    if (this.#state.mode !== 'open') return
    const { status, n } = log.feed.state
    // While the broker still tells repeats, one more costs nothing: a crash between log and job is mended so.
    const repeatable = Date.now() - request.sentAt < DUPLICATE_WINDOW_MS
    const unsent = n === 0 || (status === 'queued' && (this.#unsure || repeatable))
    if (unsent) await this.#dispatch(request)
    else if (this.#unsure) await this.#acceptAgain(request)
  }

  async #acceptAgain(request: OpenRequest): Promise<void> {
    const outcome = await this.relayOf(request).accept(acceptedOf(request))
    if (outcome.ok) this.#setUnsure(false)
  }

  async #end(request: OpenRequest, type: 'cancelled' | 'expired'): Promise<Problem | undefined> {
    const outcome = await this.relayOf(request).end(request.id, { type })
    if (!outcome.ok) return outcome.problem
    // Whoever streams is shown the end; if that fails, their streams break and they come back for it.
    await this.#log?.catchUp().catch(() => this.#log?.feed.close())
    this.#ended(outcome.event)
    return undefined
  }

  #ended(event: RequestEvent): void {
    if (this.#state.mode !== 'open' || !isTerminal(event)) return
    const end: End = { status: event.type, n: event.n, at: event.at }
    storeEnd(this.ctx.storage.kv, end)
    this.#become({ mode: 'ended', request: this.#state.request, end })
  }

  #readerClosed(left: boolean): void {
    this.#readers -= 1
    const state = this.#state
    if (!left || this.#readers > 0 || state.mode !== 'open' || state.request.onDisconnect !== 'cancel') return
    const leftAt = Date.now()
    storeClient(this.ctx.storage.kv, leftAt)
    this.#become({ ...state, leftAt })
  }

  /** Of a request that is cancelled on disconnect it is stored that it had a client, should this object be reset. */
  #attached(): void {
    if (this.#state.mode !== 'open' || this.#state.request.onDisconnect !== 'cancel') return
    if (this.#readers > 0 && this.#state.leftAt === undefined) return
    storeClient(this.ctx.storage.kv, 'here')
    this.#become({ mode: 'open', request: this.#state.request })
  }

  async #forget(): Promise<void> {
    this.#state = { mode: 'new' }
    this.#log?.feed.close()
    this.#log = undefined
    await clearState(this.ctx.storage)
  }

  #logOf(request: OpenRequest): RequestLog {
    return new RequestLog({
      request,
      relay: this.relayOf(request),
      isOpen: () => this.#state.mode === 'open',
      isRead: () => this.#readers > 0,
      onEnd: (terminal) => this.#ended(terminal),
      keepAlive: (work) => this.ctx.waitUntil(work),
    })
  }

  #become(state: RequestState): void {
    this.#state = state
    this.#wakeAgain()
  }

  #wakeAgain(): void {
    const at = nextAlarm(this.#state, Date.now())
    if (at !== undefined) this.ctx.waitUntil(this.ctx.storage.setAlarm(at))
  }

  #standing(state: Exclude<RequestState, { mode: 'new' }>): Standing {
    const { requestID, sentAt } = state.request
    const status = state.mode === 'ended' ? state.end.status : (this.#log?.feed.state.status ?? 'accepted')
    return { requestID, sentAt, status }
  }
}

function repeat(draft: Draft, bodyHash: string, standing: Standing): Outcome<Standing> {
  if (draft.bodyHash === bodyHash) {
    const { requestID, status, sentAt } = standing
    return { ok: true, requestID, status, sentAt }
  }
  const detail = 'This request id was used before, with another body.'
  return { ok: false, problem: { kind: 'request-conflict', detail } }
}

const refused = (after: number): Streaming => ({
  kind: 'refused',
  problem: { kind: 'invalid-event-id', detail: `Event ${after} was never issued for this request.` },
})

const jobOf = (request: OpenRequest, dispatch: number) => {
  const { id, model, version, lane, parameters, sentAt, deadlineAt } = request
  return { id, model, version, lane, input: request.request.input, parameters, sentAt, deadlineAt, dispatch }
}

const acceptedOf = ({ id, user, requestID, model, version, request, bodyHash, deadlineAt }: OpenRequest): Accepted => ({
  id,
  user,
  requestID,
  model,
  version,
  request,
  bodyHash,
  deadlineAt,
})
