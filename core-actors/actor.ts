import { DurableObject } from 'cloudflare:workers'
import type { Problem } from '@oriel/protocol/problem'
import { Admission } from './admission.ts'
import { Clients } from './clients.ts'
import { Dispatch } from './dispatch.ts'
import { EndWatch } from './end-watch.ts'
import { acceptedOf } from './job-of.ts'
import type { RequestRecord } from './record.ts'
import type { Outcome, RelayPort } from './relay-port.ts'
import type { Remedy } from './remedy.ts'
import { isQuiet, remedyFor } from './remedy.ts'
import type { End, OpenRequest } from './request.ts'
import { dutyAt, endOf, lookAt } from './request.ts'
import { RequestLife } from './request-life.ts'
import type { Known, NewDraft, RequeueOrder, Snapshot, Standing, Streaming, Submission } from './request-port.ts'
import { RequestReader } from './request-reader.ts'
import { Requeueing } from './requeueing.ts'
import { UserNotes } from './user-notes.ts'
import type { UserPort } from './user-port.ts'

/** The actor of one request: a thin shell over `request.ts`, which holds the rules of its life. */
export abstract class RequestActorBase<Env> extends DurableObject<Env> {
  protected abstract readonly record: RequestRecord
  protected abstract relayOf(request: OpenRequest): RelayPort
  protected abstract userOf(name: string): UserPort
  /** How long the record may take to have a request that has ended, ms. */
  protected abstract readonly lateMs: number

  readonly #relayOf = (request: OpenRequest) => this.relayOf(request)
  readonly #waitUntil = (promise: Promise<unknown>) => this.ctx.waitUntil(promise)

  readonly #notes = new UserNotes(
    this.ctx.storage.kv,
    (name) => this.userOf(name),
    (ms) => scheduler.wait(ms),
  )
  readonly #life: RequestLife = new RequestLife(
    { storage: this.ctx.storage, waitUntil: this.#waitUntil, now: () => Date.now(), lateMs: () => this.lateMs },
    () => this.#dispatch.unsure,
    ({ user, id }) => this.ctx.waitUntil(this.#notes.ended(user, id)),
  )
  readonly #dispatch = new Dispatch(this.ctx.storage.kv, this.#relayOf, () => this.#life.wakeAgain())
  readonly #ends = new EndWatch(this.#life, this.#relayOf, this.#waitUntil)
  readonly #clients = new Clients(this.#life, this.#waitUntil)
  readonly #parts = {
    life: this.#life,
    dispatch: this.#dispatch,
    ends: this.#ends,
    notes: this.#notes,
    relayOf: this.#relayOf,
    record: () => this.record,
    waitUntil: this.#waitUntil,
  }
  readonly #reader = new RequestReader(this.#parts)
  readonly #admission = new Admission({ ...this.#parts, reader: this.#reader })
  readonly #requeueing = new Requeueing({ ...this.#parts, reader: this.#reader })
  #admissions: Promise<unknown> = Promise.resolve()

  /** Admits the request, or answers for the one that is here: the same body is the same request. One at a time. */
  submit(draft: NewDraft): Promise<Submission> {
    return this.#inTurn(() => this.#admission.admit(draft))
  }

  /**
   * Takes a failed request up again: its log goes on, with a whole budget of attempts and all of its time anew.
   * Asked again while it is under way it answers the same.
   */
  requeue(order: RequeueOrder): Promise<Outcome<Standing>> {
    return this.#inTurn(() => this.#requeueing.requeue(order))
  }

  /** Streams the events after number `after`. */
  async events(after: number): Promise<Streaming> {
    await this.#admissions // one that is being queued again has not ended
    const streaming = await this.#reader.events(after)
    if (streaming.kind !== 'live') return streaming
    this.#ends.begin()
    return { kind: 'live', body: this.#clients.watched(streaming.body) }
  }

  /** The request and its log so far; `undefined` when the record must be asked. @throws when neither can tell now */
  snapshot(): Promise<Snapshot | undefined> {
    return this.#reader.snapshot()
  }

  /** What is known of the accepted request `id`, which is Oriel's own. */
  async known(id: string): Promise<Known> {
    return this.#admission.deciding ? { kind: 'unknown' } : await this.#reader.known(id)
  }

  /** Cancels an open request; answers where it stands then, or `undefined` when the record must be asked. */
  async cancel(): Promise<Outcome<{ standing: Standing | undefined }>> {
    const { state } = this.#life
    const problem = state.mode === 'open' ? await this.#end(state.request, 'cancelled') : undefined
    return problem ? { ok: false, problem } : { ok: true, standing: await this.#reader.standing() }
  }

  override async alarm(): Promise<void> {
    const { state } = this.#life
    try {
      const duty = dutyAt(state, Date.now(), this.lateMs)
      if (state.mode !== 'new') await this.#notes.note(state.request.user, state.mode === 'open')
      if (state.mode === 'open') {
        const { undone } = this.#life
        if (undone && this.#dispatch.unsure) await this.#requeueing.again(state.request, undone)
        else if (duty === 'expire') await this.#end(state.request, 'expired')
        else if (duty === 'cancel') await this.#end(state.request, 'cancelled')
        else await this.#mend(state.request, await this.#remedyFor(state.request))
      } else if (state.mode === 'ended') {
        if (this.#dispatch.unsure) await this.#dispatch.accept(state.request)
        const { request, end } = state
        if (duty === 'look') await this.#look(request, end)
        if (duty === 'forget') {
          await this.#notes.forgotten(request.user, request.id)
          this.#dispatch.forget()
          return await this.#life.forget()
        }
      }
    } catch (error) {
      console.warn('an alarm did not reach its end and will be repeated', error)
    }
    this.#life.wakeAgain()
  }

  /** Nobody may be streaming: notices an end that was missed, and a job that is not where it should be. */
  async #remedyFor(request: OpenRequest): Promise<Remedy> {
    const relay = this.relayOf(request)
    const found = await relay.last(request.id)
    if (!found.ok) throw new Error(found.problem.detail)
    const [last, { undone }] = [found.event, this.#life]
    const queue = isQuiet({ last, undone, now: Date.now() })
      ? await relay.queueSince(request.model, request.lane)
      : undefined
    const { unsure, begun, sentAt: dispatchedAt } = this.#dispatch
    const queueSince = queue?.ok ? queue.since : undefined
    const remedy = remedyFor({
      last,
      undone,
      unsure,
      begun,
      sentAt: request.sentAt,
      dispatchedAt,
      queueSince,
      now: Date.now(),
    })
    if (last && remedy.kind !== 'end' && remedy.kind !== 'take-up') this.#dispatch.seen()
    return remedy
  }

  async #mend(request: OpenRequest, remedy: Remedy): Promise<void> {
    if ('lost' in remedy && remedy.lost) this.#dispatch.renew()
    if (remedy.kind === 'end') return this.#life.end(remedy.end)
    if (remedy.kind === 'take-up') return await this.#requeueing.again(request, remedy.end)
    if (remedy.kind === 'send') await this.#dispatch.send(request)
    if (remedy.kind === 'accept') await this.#dispatch.accept(request)
    this.#ends.begin()
  }

  /** Whether the record has the end, and if nobody is about to tell it: then it is told from here. */
  async #look(request: OpenRequest, end: End): Promise<void> {
    if (await this.record.isRecorded(request.id, end.n)) return this.#life.recorded(end)
    const outcome = await this.relayOf(request).mend(acceptedOf(request), end, lookAt(end, Date.now(), this.lateMs))
    if (!outcome.ok) throw new Error(outcome.problem.detail)
    console.warn('the record has not the end of a request yet', request.id, outcome.mended)
  }

  async #end(request: OpenRequest, type: 'cancelled' | 'expired'): Promise<Problem | undefined> {
    const outcome = await this.relayOf(request).end(request.id, { type })
    if (!outcome.ok) return outcome.problem
    this.#life.end(endOf(outcome.event))
    return undefined
  }

  /** One that is let in or taken up, at a time. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const admission = this.#admissions.then(work)
    this.#admissions = admission.catch(() => undefined) // told to its caller; the next one starts afresh
    return admission
  }
}
