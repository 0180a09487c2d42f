import { sentAtOf } from '@oriel/protocol/ids'
import { ProblemError } from '@oriel/protocol/problem'
import type { Dispatch } from './dispatch.ts'
import type { EndWatch } from './end-watch.ts'
import type { RequestRecord } from './record.ts'
import type { Outcome } from './relay-port.ts'
import type { RequestLife } from './request-life.ts'
import type { Draft, NewDraft, Standing, Submission } from './request-port.ts'
import type { RequestReader } from './request-reader.ts'
import { noteOf, type UserNotes } from './user-notes.ts'

export interface AdmissionParts {
  readonly life: RequestLife
  readonly dispatch: Dispatch
  readonly ends: Pick<EndWatch, 'begin'>
  readonly reader: Pick<RequestReader, 'standingOf'>
  readonly notes: UserNotes
  readonly record: () => Pick<RequestRecord, 'find'>
  readonly waitUntil: (promise: Promise<unknown>) => void
}

/** Lets a request in, or answers for the one that is here. */
export class Admission {
  readonly #parts: AdmissionParts
  #deciding = false

  constructor(parts: AdmissionParts) {
    this.#parts = parts
  }

  /** A request is being admitted, and may still be refused. */
  get deciding(): boolean {
    return this.#deciding
  }

  async admit(draft: NewDraft): Promise<Submission> {
    const { life, dispatch, ends, reader, notes, waitUntil } = this.#parts
    if (life.state.mode !== 'new') {
      return repeat(draft, life.state.request.bodyHash, await reader.standingOf(life.state))
    }
    const { timeoutMs, bytes, key, ...rest } = draft
    // A request that is named by its own id cannot have been sent before.
    const recorded = draft.requestID === draft.id ? undefined : await this.#lookUp(draft.user, draft.requestID)
    if (recorded) return repeat(draft, recorded.bodyHash, recorded)
    const sentAt = sentAtOf(draft.id)
    const request = { ...rest, sentAt, deadlineAt: sentAt + timeoutMs }
    const note = noteOf(request, bytes, key)
    const admission = await notes.admit(request.user, note)
    if (admission?.ok === false) return admission
    if (!admission) notes.unasked(note)
    this.#deciding = true
    life.open(request)
    const refused = await dispatch.send(request)
    this.#deciding = false
    if (refused) {
      dispatch.forget()
      await life.forget()
      await notes.withdraw(request.user, note)
      return { ok: false, problem: refused }
    }
    ends.begin()
    if (!admission) waitUntil(notes.untilNoted(request.user, () => life.state.mode === 'open'))
    const status = dispatch.begun ? 'queued' : 'accepted'
    return { ok: true, requestID: request.requestID, status, sentAt, ...(admission && { usage: admission.usage }) }
  }

  /** Postgres being away must not refuse a request: then only an id older than the actor's memory is not known. */
  async #lookUp(user: string, requestID: string) {
    try {
      return await this.#parts.record().find(user, requestID)
    } catch (error) {
      const why = error instanceof ProblemError ? error.problem.detail : error
      console.warn('the record cannot be asked for an earlier request of the same id', why)
      return undefined
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
