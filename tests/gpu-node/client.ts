import { jetstream, jetstreamManager } from '@nats-io/jetstream'
import type { NatsConnection } from '@nats-io/nats-core'
import { isTerminal, RequestEvent } from '@oriel/protocol/event'
import { newRequestId } from '@oriel/protocol/ids'
import type { Job } from '@oriel/protocol/job'
import { jobSubject, liveShard, progressSubject, requestOf } from '@oriel/protocol/subjects'
import * as v from 'valibot'

/** What the edge does for a request: sends its job and hears its log. */
export class TestClient {
  readonly nc: NatsConnection
  readonly #logs = new Map<string, RequestEvent[]>()
  #waiting: { id: string; holds: (events: RequestEvent[]) => boolean; go: (events: RequestEvent[]) => void }[] = []

  constructor(nc: NatsConnection) {
    this.nc = nc
    nc.subscribe(liveShard(0), {
      callback: (_, msg) => {
        const id = requestOf(msg.subject)
        const events = this.#logs.get(id) ?? []
        this.#logs.set(id, events)
        events.push(v.parse(RequestEvent, msg.json()))
        for (const waiting of this.#waiting) if (waiting.id === id && waiting.holds(events)) waiting.go(events)
      },
    })
  }

  async submit(input: unknown, job: Partial<Job> = {}): Promise<string> {
    const sentAt = Date.now()
    const body: Job = {
      id: newRequestId(sentAt),
      shard: 0,
      model: 'parrot',
      version: '1',
      lane: 'interactive',
      input,
      parameters: {},
      sentAt,
      deadlineAt: sentAt + 60_000,
      dispatch: 1,
      log: { events: [], sequence: 0 },
      ...job,
    }
    const subject = jobSubject(0, body.lane, body.model)
    await jetstream(this.nc).publish(subject, JSON.stringify(body), { msgID: `${body.id}.${body.dispatch}` })
    return body.id
  }

  /** Resolves when the log, as it was heard live, is as asked. */
  until(id: string, holds: (events: RequestEvent[]) => boolean): Promise<RequestEvent[]> {
    const events = this.#logs.get(id) ?? []
    if (holds(events)) return Promise.resolve(events)
    return new Promise((go) => this.#waiting.push({ id, holds, go }))
  }

  ended(id: string): Promise<RequestEvent[]> {
    return this.until(id, (events) => events.some(isTerminal))
  }

  /** The log as it is stored. */
  async stored(id: string): Promise<RequestEvent[]> {
    const query = JSON.stringify({ seq: 1, next_by_subj: progressSubject(0, id), batch: 1_000 })
    const answers = await this.nc.requestMany('$JS.API.DIRECT.GET.PROGRESS', query, {
      strategy: 'sentinel',
      maxWait: 5_000,
    })
    const events: RequestEvent[] = []
    for await (const answer of answers) if (!answer.headers?.code) events.push(v.parse(RequestEvent, answer.json()))
    return events
  }

  /** Jobs that the broker still has. */
  async queued(): Promise<number> {
    return (await (await jetstreamManager(this.nc)).streams.info('JOBS')).state.messages
  }
}

export const textOf = (events: RequestEvent[]) =>
  events.map((event) => (event.type === 'responses' ? event.response : '')).join('')

export const typesOf = (events: RequestEvent[]) => events.map(({ type }) => type)
