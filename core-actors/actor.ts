import { DurableObject } from 'cloudflare:workers'
import type { RequestEvent } from '@oriel/protocol/event'
import { isTerminal } from '@oriel/protocol/event'
import { sentAtOf } from '@oriel/protocol/ids'
import { foldAll } from '@oriel/protocol/log'
import { type Problem, ProblemError } from '@oriel/protocol/problem'
import { DUPLICATE_WINDOW_MS } from '@oriel/protocol/streams'
import type { About } from './channel.ts'
import { acceptedOf, jobOf } from './job-of.ts'
import type { RequestRecord } from './record.ts'
import type { Attached, Outcome, Reading, RelayPort } from './relay-port.ts'
import type { End, OpenRequest, RequestState } from './request.ts'
import { dutyAt, endOf, nextAlarm } from './request.ts'
import { readEndedLog, readLog } from './request-log.ts'
import type { Draft, Known, NewDraft, RequeueOrder, Snapshot, Standing, Streaming, Submission } from './request-port.ts'
import {
  clearState,
  loadDispatch,
  loadState,
  loadUndone,
  loadUnsure,
  storeClient,
  storeDispatch,
  storeEnd,
  storeOpen,
  storeReopened,
  storeUnsure,
} from './request-store.ts'
import { NOT_RECORDED_YET, takeUp } from './take-up.ts'
import { noteOf, UserNotes } from './user-notes.ts'
import type { UserPort } from './user-port.ts'

/** After a relay broke: how long to wait before it is asked again, and how often while a client waits. */
const ASK_AGAIN_MS = 250
const MAX_ASKS = 8
/** Whoever has a request in hand says something more often; whoever had it is no longer waited for by the broker. */
const QUIET_MS = 12_000

/** The actor of one request: a thin shell over `request.ts`, which holds the rules of its life. */
export abstract class RequestActorBase<Env> extends DurableObject<Env> {
  protected abstract readonly record: RequestRecord
  protected abstract relayOf(request: OpenRequest): RelayPort
  protected abstract userOf(name: string): UserPort

  #state: RequestState = loadState(this.ctx.storage.kv, Date.now())
  #unsure = loadUnsure(this.ctx.storage.kv)
  #dispatchNumber = loadDispatch(this.ctx.storage.kv)
  #undone = loadUndone(this.ctx.storage.kv)
  /** When the job was last sent from here. */
  #dispatchedAt: number | undefined
  /** The broker was known to have the log. */
  #begun = false
  /** A request is being admitted, and may still be refused. */
  #deciding = false
  readonly #notes = new UserNotes(
    this.ctx.storage.kv,
    (name) => this.userOf(name),
    (ms) => scheduler.wait(ms),
  )
  #awaiting = false
  #readers = 0
  #admissions: Promise<unknown> = Promise.resolve()

  /** Admits the request, or answers for the one that is here: the same body is the same request. One at a time. */
  submit(draft: NewDraft): Promise<Submission> {
    const admission = this.#admissions.then(() => this.#admit(draft))
    this.#admissions = admission.catch(() => undefined) // told to its caller; the next one starts afresh
    return admission
  }

  async #admit(draft: NewDraft): Promise<Submission> {
    if (this.#state.mode !== 'new') {
      return repeat(draft, this.#state.request.bodyHash, await this.#standing(this.#state))
    }
    const { timeoutMs, bytes, ...rest } = draft
    // A request that is named by its own id cannot have been sent before.
    const recorded = draft.requestID === draft.id ? undefined : await this.#lookUp(draft.user, draft.requestID)
    if (recorded) return repeat(draft, recorded.bodyHash, recorded)
    const sentAt = sentAtOf(draft.id)
    const request = { ...rest, sentAt, deadlineAt: sentAt + timeoutMs }
    const note = noteOf(request, bytes)
    const admission = await this.#notes.admit(request.user, note)
    if (admission?.ok === false) return admission
    const usage = admission && { usage: admission.usage }
    if (!admission) this.#notes.unasked(note)
    storeOpen(this.ctx.storage.kv, request)
    this.#deciding = true
    this.#become({ mode: 'open', request })
    const refused = await this.#dispatch(request)
    this.#deciding = false
    if (refused) {
      await this.#forget()
      await this.#notes.withdraw(request.user, note)
      return { ok: false, problem: refused, ...usage }
    }
    if (!admission) this.ctx.waitUntil(this.#notes.untilNoted(request.user, () => this.#state.mode === 'open'))
    return { ok: true, requestID: request.requestID, status: this.#begun ? 'queued' : 'accepted', sentAt, ...usage }
  }

  /**
   * Takes a failed request up again: its log goes on, with a whole budget of attempts and all of its time anew.
   * Asked again while it is under way it answers the same.
   */
  requeue(order: RequeueOrder): Promise<Outcome<Standing>> {
    const admission = this.#admissions.then(() => this.#requeue(order))
    this.#admissions = admission.catch(() => undefined)
    return admission
  }

  async #requeue({ draft, end: recorded, dispatch }: RequeueOrder): Promise<Outcome<Standing>> {
    const { timeoutMs, ...rest } = draft
    const sentAt = sentAtOf(draft.id)
    const known = this.#state.mode === 'new' ? draft.id : this.#state.request.id
    if (known !== draft.id) return notRequeueable('Its request id stands for a later request now.')
    if (this.#state.mode === 'open') {
      if (this.#undone && this.#unsure) await this.#takeUp(this.#state.request, this.#undone)
      else await this.#noticeEnd(this.#state.request)
    }
    if (this.#state.mode === 'open') return { ok: true, ...(await this.#standing(this.#state)) }
    const end = this.#state.mode === 'ended' ? this.#state.end : recorded
    if (!end) return { ok: false, problem: NOT_RECORDED_YET }
    if (end.status !== 'failed') return notRequeueable(`Its request has ended since, as ${end.status}.`)

    const request: OpenRequest = { ...rest, sentAt, deadlineAt: Date.now() + timeoutMs }
    this.#dispatchNumber = Math.max(this.#dispatchNumber, dispatch) + 1
    storeReopened(this.ctx.storage.kv, request, end, this.#dispatchNumber)
    this.#undone = end
    this.#setUnsure(true)
    this.#become({ mode: 'open', request })
    const outcome = await this.#takeUp(request, end)
    if (!outcome.ok) {
      await this.#standDown(request, end)
      return outcome
    }
    return { ok: true, requestID: request.requestID, status: 'queued', sentAt }
  }

  /** Undoes an end; may be repeated. @returns a refusal: it stands, or there is another */
  async #takeUp(request: OpenRequest, end: End): Promise<Outcome<object>> {
    const outcome = await takeUp(this.relayOf(request), this.record, jobOf(request, this.#dispatchNumber), end.n)
    if (!outcome.ok) return outcome
    this.#setUnsure(false)
    this.#begun = true
    if (isTerminal(outcome.event)) this.#ended(endOf(outcome.event))
    this.#awaitEnd(request)
    return { ok: true }
  }

  /** It was not to be: the request has ended as before, or as its log now says. */
  async #standDown(request: OpenRequest, end: End): Promise<void> {
    this.#setUnsure(false)
    this.#undone = undefined
    await this.#noticeEnd(request)
    this.#ended(end)
  }

  /** Should the log of an open request have ended. */
  async #noticeEnd(request: OpenRequest): Promise<void> {
    const last = await this.relayOf(request).last(request.id)
    if (last.ok && last.event && isTerminal(last.event)) this.#ended(endOf(last.event))
  }

  /** Postgres being away must not refuse a request: then only an id older than the actor's memory is not known. */
  async #lookUp(user: string, requestID: string) {
    try {
      return await this.record.find(user, requestID)
    } catch (error) {
      const why = error instanceof ProblemError ? error.problem.detail : error
      console.warn('the record cannot be asked for an earlier request of the same id', why)
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
      const at = Date.now()
      const outcome = await this.relayOf(request).submit({ job, accepted: acceptedOf(request) })
      if (!outcome.ok) return outcome.problem
      this.#setUnsure(!outcome.certain)
      this.#begun ||= outcome.certain
      if (outcome.certain) this.#dispatchedAt = at
    } catch (error) {
      console.warn('the relay broke during a submit; the alarm will send the job again', error)
      this.#setUnsure(true)
    }
    this.#awaitEnd(request)
    return undefined
  }

  #setUnsure(unsure: boolean): void {
    if (this.#unsure === unsure) return
    this.#unsure = unsure
    storeUnsure(this.ctx.storage.kv, unsure)
    if (unsure) this.#wakeAgain() // it may have ended meanwhile
  }

  /** Streams the events after number `after`. */
  async events(after: number): Promise<Streaming> {
    await this.#admissions // one that is being queued again has not ended
    const state = this.#state
    if (state.mode === 'new') return { kind: 'record' }
    const ended = state.mode === 'ended'
    if (ended && after === state.end.n) return { kind: 'over' }
    const renewed = this.#dispatchNumber > 1
    if (ended && after > state.end.n && !renewed) return unissued(after)
    const attached = await this.#attach(state.request, { ...aboutOf(state.request), after, ended, renewed })
    switch (attached.kind) {
      case 'unissued':
        return unissued(after)
      case 'missing':
        return (await this.#isRecorded()) ? { kind: 'record' } : late()
      case 'live':
        this.#awaitEnd(state.request)
        return { kind: 'live', body: this.#watched(attached.body) }
      default:
        return attached
    }
  }

  /** An EventSource that is refused never comes back: a relay that breaks is asked again while the client waits. */
  async #attach(request: OpenRequest, reading: Reading): Promise<Attached> {
    for (let asks = 1; ; asks += 1) {
      try {
        return await this.relayOf(request).attach(request.id, reading)
      } catch (error) {
        if (asks === MAX_ASKS) throw error
        console.warn('the relay broke while a client was attached', error)
        await scheduler.wait(ASK_AGAIN_MS)
      }
    }
  }

  /** The request and its log so far; `undefined` when the record must be asked. @throws when neither can tell now */
  async snapshot(): Promise<Snapshot | undefined> {
    const snapshot = await this.#snapshot()
    if (!snapshot && !(await this.#isRecorded())) throw new Error('neither the log nor the record has the request now')
    return snapshot
  }

  /** False for one whose fact is still on its way: that nobody can tell of it now does not make it unknown. */
  async #isRecorded(): Promise<boolean> {
    const state = this.#state
    return state.mode !== 'ended' || (await this.record.isRecorded(state.request.id, state.end.n))
  }

  async #snapshot(): Promise<Snapshot | undefined> {
    const state = this.#state
    if (state.mode === 'new') return undefined
    const relay = this.relayOf(state.request)
    const events = await (state.mode === 'ended' ? readEndedLog : readLog)(relay, state.request.id)
    return events && { request: state.request, status: foldAll(events).status, events }
  }

  /** What is known of the accepted request `id`, which is Oriel's own. */
  async known(id: string): Promise<Known> {
    const state = this.#state
    if (state.mode === 'new' || state.request.id !== id || this.#deciding) return { kind: 'unknown' }
    const snapshot = await this.#snapshot()
    return snapshot ? { kind: 'whole', snapshot } : { kind: 'record' }
  }

  /** Cancels an open request; answers where it stands then, or `undefined` when the record must be asked. */
  async cancel(): Promise<Outcome<{ standing: Standing | undefined }>> {
    const state = this.#state
    if (state.mode === 'new') return { ok: true, standing: undefined }
    if (state.mode === 'open') {
      const problem = await this.#end(state.request, 'cancelled')
      if (problem) return { ok: false, problem }
    }
    return { ok: true, standing: this.#state.mode === 'new' ? undefined : await this.#standing(this.#state) }
  }

  override async alarm(): Promise<void> {
    const state = this.#state
    try {
      const duty = dutyAt(state, Date.now())
      if (state.mode !== 'new') await this.#notes.note(state.request.user, state.mode === 'open')
      if (state.mode === 'open') {
        if (this.#undone && this.#unsure) await this.#takeUpAgain(state.request, this.#undone)
        else if (duty === 'expire') await this.#end(state.request, 'expired')
        else if (duty === 'cancel') await this.#end(state.request, 'cancelled')
        else await this.#supervise(state.request)
      } else if (state.mode === 'ended') {
        if (this.#unsure) await this.#acceptAgain(state.request)
        const { request, end } = state
        if (duty === 'forget' && (await this.record.isRecorded(request.id, end.n))) {
          await this.#notes.forgotten(request.user, request.id)
          return await this.#forget()
        }
      }
    } catch (error) {
      console.warn('an alarm did not reach its end and will be repeated', error)
    }
    this.#wakeAgain()
  }

  /** A requeue was interrupted, or the broker has lost the log that went on. */
  async #takeUpAgain(request: OpenRequest, end: End): Promise<void> {
    const outcome = await this.#takeUp(request, end)
    if (!outcome.ok && outcome.problem.kind !== 'unavailable') await this.#standDown(request, end)
  }

  /** Nobody may be streaming: notices an end that was missed, and a job that is not where it should be. */
  async #supervise(request: OpenRequest): Promise<void> {
    const last = await this.relayOf(request).last(request.id)
    if (!last.ok) throw new Error(last.problem.detail)
    const { event } = last
    const undone = this.#undone
    const goneOn = event && !(undone && event.type === 'failed' && event.n <= undone.n)
    if (goneOn && isTerminal(event)) return this.#ended(endOf(event))
    const lost = event ? goneOn && (await this.#jobIsLost(request, event)) : this.#begun
    if (lost) {
      // The broker has lost its state: what it told of repeats went with it, but maybe not all at once.
      this.#dispatchNumber += 1
      storeDispatch(this.ctx.storage.kv, this.#dispatchNumber)
    }
    // Not from the first event on: the record has the log up to the end that was undone, and numbers to go on from.
    if (!goneOn && undone) return await this.#takeUpAgain(request, undone)
    this.#begun ||= event !== undefined
    // While the broker still tells repeats, one more costs nothing: a crash between log and job is mended so.
    const repeatable = Date.now() - request.sentAt < DUPLICATE_WINDOW_MS
    const unsent = !event || lost || (event.type === 'queued' && (this.#unsure || repeatable))
    if (unsent) await this.#dispatch(request)
    else if (this.#unsure) await this.#acceptAgain(request)
    this.#awaitEnd(request)
  }

  /**
   * A node writes a log again that the broker has lost, but not its job: should nobody have it in hand any more, nobody
   * ever will.
   */
  async #jobIsLost(request: OpenRequest, event: RequestEvent): Promise<boolean> {
    const quietUntil = event.at + QUIET_MS + (event.type === 'retrying' ? event.inMs : 0)
    if (Date.now() < quietUntil) return false
    const queue = await this.relayOf(request).queueSince(request.model, request.lane)
    return queue.ok && queue.since > (this.#dispatchedAt ?? request.sentAt)
  }

  /** Asks the relay for the end, for as long as the request is open. One question at a time. */
  #awaitEnd(request: OpenRequest): void {
    if (this.#awaiting || this.#state.mode !== 'open') return
    this.#awaiting = true
    const awaited = this.#untilEnded(request).finally(() => {
      this.#awaiting = false
    })
    this.ctx.waitUntil(awaited)
  }

  async #untilEnded(request: OpenRequest): Promise<void> {
    while (this.#state.mode === 'open') {
      try {
        const end = await this.relayOf(request).untilEnded(request.id, aboutOf(request))
        if (end) this.#ended(end)
      } catch (error) {
        console.warn('the relay broke while an end was awaited', error)
      }
      if (this.#state.mode === 'open') await scheduler.wait(ASK_AGAIN_MS)
    }
  }

  async #acceptAgain(request: OpenRequest): Promise<void> {
    const outcome = await this.relayOf(request).accept(acceptedOf(request))
    if (outcome.ok) this.#setUnsure(false)
  }

  async #end(request: OpenRequest, type: 'cancelled' | 'expired'): Promise<Problem | undefined> {
    const outcome = await this.relayOf(request).end(request.id, { type })
    if (!outcome.ok) return outcome.problem
    this.#ended(endOf(outcome.event))
    return undefined
  }

  #ended(end: End): void {
    const undone = end.status === 'failed' && end.n <= (this.#undone?.n ?? 0)
    if (this.#state.mode !== 'open' || undone) return
    const { request } = this.#state
    storeEnd(this.ctx.storage.kv, end)
    this.#undone = undefined
    this.#become({ mode: 'ended', request, end })
    this.ctx.waitUntil(this.#notes.ended(request.user, request.id))
  }

  /** The stream as it is, unless it matters that the client leaves. */
  #watched(body: ReadableStream<Uint8Array>): ReadableStream<Uint8Array> {
    if (this.#state.mode !== 'open' || this.#state.request.onDisconnect !== 'cancel') return body
    this.#attached()
    this.#readers += 1
    const { readable, writable } = new IdentityTransformStream()
    const piped = body.pipeTo(writable).catch(() => {}) // whoever broke it, the client is no longer there
    this.ctx.waitUntil(piped.then(() => this.#left()))
    return readable
  }

  #left(): void {
    this.#readers -= 1
    const state = this.#state
    if (this.#readers > 0 || state.mode !== 'open') return
    const leftAt = Date.now()
    storeClient(this.ctx.storage.kv, leftAt)
    this.#become({ ...state, leftAt })
  }

  /** Of a request that is cancelled on disconnect it is stored that it had a client, should this object be reset. */
  #attached(): void {
    if (this.#state.mode !== 'open') return
    if (this.#readers > 0 && this.#state.leftAt === undefined) return
    storeClient(this.ctx.storage.kv, 'here')
    this.#become({ mode: 'open', request: this.#state.request })
  }

  async #forget(): Promise<void> {
    this.#state = { mode: 'new' }
    this.#begun = false
    this.#dispatchNumber = 1
    await clearState(this.ctx.storage)
  }

  #become(state: RequestState): void {
    this.#state = state
    this.#wakeAgain()
  }

  #wakeAgain(): void {
    const at = nextAlarm(this.#state, Date.now(), this.#unsure)
    if (at !== undefined) this.ctx.waitUntil(this.ctx.storage.setAlarm(at))
  }

  async #standing(state: Exclude<RequestState, { mode: 'new' }>): Promise<Standing> {
    const { requestID, sentAt } = state.request
    if (state.mode === 'ended') return { requestID, sentAt, status: state.end.status }
    try {
      const events = await readLog(this.relayOf(state.request), state.request.id)
      return { requestID, sentAt, status: foldAll(events).status }
    } catch (error) {
      console.warn('the log cannot be read; a request that is here was at least accepted', error)
      return { requestID, sentAt, status: 'accepted' }
    }
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

const notRequeueable = (detail: string): Outcome<never> => ({ ok: false, problem: { kind: 'not-requeueable', detail } })

const aboutOf = ({ model, version, lane }: OpenRequest): About => ({ model, version, lane })

const unissued = (after: number): Streaming => ({
  kind: 'refused',
  problem: { kind: 'invalid-event-id', detail: `Event ${after} was never issued for this request.` },
})

const late = (): Streaming => ({
  kind: 'refused',
  problem: { kind: 'unavailable', detail: 'The events of this request cannot be read now.', retryAfterMs: 2_000 },
})
