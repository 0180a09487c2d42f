import { foldAll } from '@oriel/protocol/log'
import type { Dispatch } from './dispatch.ts'
import { aboutOf } from './job-of.ts'
import type { RequestRecord } from './record.ts'
import type { Attached, Reading, RelayPort } from './relay-port.ts'
import type { OpenRequest, RequestState } from './request.ts'
import type { RequestLife } from './request-life.ts'
import { readEndedLog, readLog } from './request-log.ts'
import type { Known, Snapshot, Standing, Streaming } from './request-port.ts'

/** After a relay broke: how long to wait before it is asked again, and how often while a client waits. */
const ASK_AGAIN_MS = 250
const MAX_ASKS = 8

export interface ReaderParts {
  readonly life: Pick<RequestLife, 'state'>
  readonly dispatch: Pick<Dispatch, 'renewed'>
  readonly relayOf: (request: OpenRequest) => Pick<RelayPort, 'attach' | 'read'>
  readonly record: () => Pick<RequestRecord, 'isRecorded'>
}

/** What can be told of a request: from its log while the broker has it, and whether the record must be asked. */
export class RequestReader {
  readonly #parts: ReaderParts

  constructor(parts: ReaderParts) {
    this.#parts = parts
  }

  /** Streams the events after number `after`. */
  async events(after: number): Promise<Streaming> {
    const { life, dispatch } = this.#parts
    const { state } = life
    if (state.mode === 'new') return { kind: 'record' }
    const ended = state.mode === 'ended'
    if (ended && after === state.end.n) return { kind: 'over' }
    const { renewed } = dispatch
    if (ended && after > state.end.n && !renewed) return unissued(after)
    const attached = await this.#attach(state.request, { ...aboutOf(state.request), after, ended, renewed })
    switch (attached.kind) {
      case 'unissued':
        return unissued(after)
      case 'missing':
        return (await this.#isRecorded()) ? { kind: 'record' } : late()
      default:
        return attached
    }
  }

  /** The request and its log so far; `undefined` when the record must be asked. @throws when neither can tell now */
  async snapshot(): Promise<Snapshot | undefined> {
    const snapshot = await this.#snapshot()
    if (!snapshot && !(await this.#isRecorded())) throw new Error('neither the log nor the record has the request now')
    return snapshot
  }

  /** What is known of the request `id`, which is Oriel's own. */
  async known(id: string): Promise<Known> {
    const { state } = this.#parts.life
    if (state.mode === 'new' || state.request.id !== id) return { kind: 'unknown' }
    const snapshot = await this.#snapshot()
    return snapshot ? { kind: 'whole', snapshot } : { kind: 'record' }
  }

  /** Where it stands; `undefined` when the record must be asked. */
  async standing(): Promise<Standing | undefined> {
    const { state } = this.#parts.life
    return state.mode === 'new' ? undefined : await this.standingOf(state)
  }

  async standingOf(state: Exclude<RequestState, { mode: 'new' }>): Promise<Standing> {
    const { requestID, sentAt } = state.request
    if (state.mode === 'ended') return { requestID, sentAt, status: state.end.status }
    try {
      const events = await readLog(this.#parts.relayOf(state.request), state.request.id)
      return { requestID, sentAt, status: foldAll(events).status }
    } catch (error) {
      console.warn('the log cannot be read; a request that is here was at least accepted', error)
      return { requestID, sentAt, status: 'accepted' }
    }
  }

  /** An EventSource that is refused never comes back: a relay that breaks is asked again while the client waits. */
  async #attach(request: OpenRequest, reading: Reading): Promise<Attached> {
    for (let asks = 1; ; asks += 1) {
      try {
        return await this.#parts.relayOf(request).attach(request.id, reading)
      } catch (error) {
        if (asks === MAX_ASKS) throw error
        console.warn('the relay broke while a client was attached', error)
        await scheduler.wait(ASK_AGAIN_MS)
      }
    }
  }

  /** False for one whose fact is still on its way: that nobody can tell of it now does not make it unknown. */
  async #isRecorded(): Promise<boolean> {
    const { state } = this.#parts.life
    return state.mode !== 'ended' || (await this.#parts.record().isRecorded(state.request.id, state.end.n))
  }

  async #snapshot(): Promise<Snapshot | undefined> {
    const { state } = this.#parts.life
    if (state.mode === 'new') return undefined
    const relay = this.#parts.relayOf(state.request)
    const events = await (state.mode === 'ended' ? readEndedLog : readLog)(relay, state.request.id)
    return events && { request: state.request, status: foldAll(events).status, events }
  }
}

const unissued = (after: number): Streaming => ({
  kind: 'refused',
  problem: { kind: 'invalid-event-id', detail: `Event ${after} was never issued for this request.` },
})

const late = (): Streaming => ({
  kind: 'refused',
  problem: { kind: 'unavailable', detail: 'The events of this request cannot be read now.', retryAfterMs: 2_000 },
})
