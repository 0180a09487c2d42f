import { SubmissionAnswer } from '@oriel/protocol/api'
import * as v from 'valibot'
import { Client } from '../support/client.ts'
import { cancel } from './cancelling.ts'
import type { PlannedRequest } from './load-plan.ts'
import type { RequestObservation, SubmitOutcome } from './observation.ts'
import { pause } from './pause.ts'
import { poll, stream } from './reading.ts'

const ANSWER_MS = 10_000
const AGAIN_MS = 500

/** Clients of the API that write down all that they get. */
export class Load {
  readonly requests: RequestObservation[] = []
  readonly #url: string
  readonly #tokenOf: (user: string) => Promise<string>
  readonly #clients = new Map<string, Promise<Client>>()
  readonly #stop: AbortSignal
  readonly #runs = new Set<Promise<void>>()

  /** @param stop ends all that clients do */
  constructor(url: string, tokenOf: (user: string) => Promise<string>, stop: AbortSignal) {
    this.#url = url
    this.#tokenOf = tokenOf
    this.#stop = stop
  }

  client(user: string): Promise<Client> {
    const known = this.#clients.get(user) ?? this.#tokenOf(user).then((token) => new Client(this.#url, token))
    this.#clients.set(user, known)
    return known
  }

  /** Sends every request at its time. Comes back when the last client has its answer, or was stopped. */
  run(plan: readonly PlannedRequest[]): Promise<void> {
    const run = this.#run(plan)
    this.#runs.add(run)
    return run
  }

  /** Until all that was sent has its answer. */
  async ended(): Promise<void> {
    await Promise.all(this.#runs)
  }

  async #run(plan: readonly PlannedRequest[]): Promise<void> {
    const startedAt = performance.now()
    const clients: Promise<void>[] = []
    for (const planned of plan) {
      const waitMs = startedAt + planned.at - performance.now()
      if (waitMs > 0) await pause(waitMs, this.#stop)
      if (this.#stop.aborted) break
      clients.push(this.#one(planned))
    }
    await Promise.all(clients)
  }

  async #one(planned: PlannedRequest): Promise<void> {
    const observed: RequestObservation = {
      planned,
      submits: [],
      connections: [],
      polls: [],
      cancellations: [],
      afterwards: undefined,
    }
    this.requests.push(observed)
    const client = await this.client(planned.user)
    if (!(await this.#submit(client, observed))) return
    const cancelled = cancel(client, observed, this.#stop)
    const { reading, requestID } = planned
    if (reading.mode === 'stream')
      await stream(client, requestID, reading.leaves, observed.connections, this.#stop, cancelled.saw)
    if (reading.mode === 'poll') await poll(client, requestID, reading.everyMs, observed.polls, this.#stop)
    await cancelled.done()
  }

  /** A submit whose answer is lost is repeated until one comes. @returns whether it was accepted */
  async #submit(client: Client, { planned, submits }: RequestObservation): Promise<boolean> {
    while (!this.#stop.aborted) {
      const at = Date.now()
      const outcome = await this.#post(client, planned)
      submits.push({ at, answeredAt: Date.now(), outcome })
      if (outcome.kind === 'accepted') return true
      const mayExist = submits.some((submit) => submit.outcome.kind === 'lost')
      if (outcome.kind === 'refused' && (!mayExist || outcome.status < 429)) return false
      await Bun.sleep(AGAIN_MS)
    }
    return false
  }

  async #post(client: Client, { requestID, modelID, request }: PlannedRequest): Promise<SubmitOutcome> {
    const signal = AbortSignal.any([AbortSignal.timeout(ANSWER_MS), this.#stop])
    try {
      const body = JSON.stringify({ modelID, request: { requestID, ...request } })
      const headers = { 'Content-Type': 'application/json' }
      const response = await client.send('/requests', { method: 'POST', body, headers, signal })
      const text = await response.text()
      if (response.status !== 202) {
        const retryAfter = response.headers.get('Retry-After')
        return { kind: 'refused', status: response.status, problem: text, ...(retryAfter && { retryAfter }) }
      }
      const answer = v.parse(v.pipe(v.string(), v.parseJson(), SubmissionAnswer), text)
      return { kind: 'accepted', sentAt: answer.sentAt }
    } catch (error) {
      return { kind: 'lost', why: String(error) }
    }
  }
}
