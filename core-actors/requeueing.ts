import { isTerminal } from '@oriel/protocol/event'
import { sentAtOf } from '@oriel/protocol/ids'
import type { Dispatch } from './dispatch.ts'
import type { EndWatch } from './end-watch.ts'
import type { RequestRecord } from './record.ts'
import type { Outcome, RelayPort } from './relay-port.ts'
import type { End, OpenRequest } from './request.ts'
import { endOf } from './request.ts'
import type { RequestLife } from './request-life.ts'
import type { RequeueOrder, Standing } from './request-port.ts'
import type { RequestReader } from './request-reader.ts'
import { NOT_RECORDED_YET, takeUp } from './take-up.ts'

export interface RequeueingParts {
  readonly life: RequestLife
  readonly dispatch: Dispatch
  readonly ends: Pick<EndWatch, 'begin'>
  readonly reader: Pick<RequestReader, 'standingOf'>
  readonly relayOf: (request: OpenRequest) => Pick<RelayPort, 'requeue' | 'last'>
  readonly record: () => Pick<RequestRecord, 'log'>
}

/** Takes a failed request up again: undoes its end, or stands down when that was not to be. */
export class Requeueing {
  readonly #parts: RequeueingParts

  constructor(parts: RequeueingParts) {
    this.#parts = parts
  }

  /** Asked again while the request is under way it answers the same. */
  async requeue({ draft, end: recorded, dispatch: last }: RequeueOrder): Promise<Outcome<Standing>> {
    const { life, dispatch, reader } = this.#parts
    const { timeoutMs, ...rest } = draft
    const sentAt = sentAtOf(draft.id)
    const known = life.state.mode === 'new' ? draft.id : life.state.request.id
    if (known !== draft.id) return notRequeueable('Its request id stands for a later request now.')
    if (life.state.mode === 'open') {
      if (life.state.undone && dispatch.unsure) await this.#takeUp(life.state.request, life.state.undone)
      else await this.#noticeEnd(life.state.request)
    }
    const { state } = life
    if (state.mode === 'open') return { ok: true, ...(await reader.standingOf(state)) }
    const end = state.mode === 'ended' ? state.end : recorded
    if (!end) return { ok: false, problem: NOT_RECORDED_YET }
    if (end.status !== 'failed') return notRequeueable(`Its request has ended since, as ${end.status}.`)

    const request: OpenRequest = { ...rest, sentAt, deadlineAt: Date.now() + timeoutMs }
    dispatch.renew(last)
    dispatch.doubt()
    life.reopen(request, end)
    const outcome = await this.#takeUp(request, end)
    if (!outcome.ok) {
      await this.#standDown(request, end)
      return outcome
    }
    return { ok: true, requestID: request.requestID, status: 'queued', sentAt }
  }

  /** A requeue was interrupted, or the broker has lost the log that went on. */
  async again(request: OpenRequest, end: End): Promise<void> {
    const outcome = await this.#takeUp(request, end)
    if (!outcome.ok && outcome.problem.kind !== 'unavailable') await this.#standDown(request, end)
  }

  /** Undoes an end; may be repeated. @returns a refusal: it stands, or there is another */
  async #takeUp(request: OpenRequest, end: End): Promise<Outcome<object>> {
    const { life, dispatch, ends, relayOf, record } = this.#parts
    const outcome = await takeUp(relayOf(request), record(), dispatch.job(request), end.n)
    if (!outcome.ok) return outcome
    dispatch.confirmed()
    if (isTerminal(outcome.event)) life.end(endOf(outcome.event))
    ends.begin()
    return { ok: true }
  }

  /** It was not to be: the request has ended as before, or as its log now says. */
  async #standDown(request: OpenRequest, end: End): Promise<void> {
    const { life, dispatch } = this.#parts
    dispatch.drop()
    life.undoNothing()
    await this.#noticeEnd(request)
    life.end(end)
  }

  /** Should the log of an open request have ended. */
  async #noticeEnd(request: OpenRequest): Promise<void> {
    const last = await this.#parts.relayOf(request).last(request.id)
    if (last.ok && last.event && isTerminal(last.event)) this.#parts.life.end(endOf(last.event))
  }
}

const notRequeueable = (detail: string): Outcome<never> => ({ ok: false, problem: { kind: 'not-requeueable', detail } })
