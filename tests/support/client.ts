import { RequestView, SubmissionAnswer } from '@oriel/protocol/api'
import { TERMINAL } from '@oriel/protocol/event'
import { createParser } from 'eventsource-parser'
import * as v from 'valibot'

/** One server-sent event as a client got it. */
export interface Received {
  readonly id: number
  readonly type: string
  readonly data: Record<string, unknown>
}

export interface StreamOptions {
  /** Last-Event-ID to send. */
  readonly after?: number | string
  readonly signal?: AbortSignal
}

/** A user of the API, with nothing but fetch and a parser of server-sent events. */
export class Client {
  readonly url: string
  readonly token: string

  constructor(url: string, token: string) {
    this.url = url
    this.token = token
  }

  send(path: string, init: RequestInit & { headers?: Record<string, string> } = {}): Promise<Response> {
    return fetch(new URL(path, this.url), {
      ...init,
      headers: { Authorization: `Bearer ${this.token}`, ...init.headers },
    })
  }

  post(modelID: string, request: object): Promise<Response> {
    const body = JSON.stringify({ modelID, request })
    return this.send('/requests', { method: 'POST', body, headers: { 'Content-Type': 'application/json' } })
  }

  async submit(modelID: string, request: object): Promise<SubmissionAnswer> {
    const response = await this.post(modelID, request)
    if (response.status !== 202) throw new Error(`submit: ${response.status} ${await response.text()}`)
    return v.parse(SubmissionAnswer, await response.json())
  }

  async get(requestID: string, after?: number): Promise<RequestView> {
    const response = await this.send(`/requests/${requestID}${after === undefined ? '' : `?after=${after}`}`)
    if (response.status !== 200) throw new Error(`get: ${response.status} ${await response.text()}`)
    return v.parse(RequestView, await response.json())
  }

  cancel(requestID: string): Promise<Response> {
    return this.send(`/requests/${requestID}`, { method: 'DELETE' })
  }

  open(requestID: string, { after, signal }: StreamOptions = {}): Promise<Response> {
    const headers = after === undefined ? {} : { 'Last-Event-ID': String(after) }
    return this.send(`/requests/${requestID}/events`, { headers, ...(signal && { signal }) })
  }

  /** The events of one connection, until the server closes it. */
  async *events(requestID: string, options: StreamOptions = {}): AsyncGenerator<Received> {
    const response = await this.open(requestID, options)
    if (response.status === 204) return
    if (response.status !== 200) throw new Error(`events: ${response.status} ${await response.text()}`)
    yield* received(response)
  }

  /**
   * All events up to the terminal one, reconnecting with the last id as an EventSource does, for as long as it takes.
   * @param onEvent sees every event as it comes
   * @param from number of the last event that it has
   */
  async follow(requestID: string, onEvent: (event: Received) => void = () => {}, from = 0): Promise<Received[]> {
    const all: Received[] = []
    while (!isTerminal(all.at(-1))) {
      try {
        for await (const event of this.events(requestID, after(all.at(-1)?.id ?? from))) {
          all.push(event)
          onEvent(event)
        }
      } catch {
        // A torn stream, or an edge that is away for a moment: EventSource would not tell them apart either.
      }
      if (!isTerminal(all.at(-1))) await Bun.sleep(200)
    }
    return all
  }
}

const after = (id: number): StreamOptions => (id > 0 ? { after: id } : {})

export async function* received(response: Response): AsyncGenerator<Received> {
  const queue: Received[] = []
  const parser = createParser({
    onEvent: ({ id, event, data }) => {
      queue.push({
        id: Number(id),
        type: event ?? '',
        data: v.parse(v.record(v.string(), v.unknown()), JSON.parse(data)),
      })
    },
  })
  const decoder = new TextDecoder()
  for await (const chunk of response.body ?? []) {
    parser.feed(decoder.decode(chunk, { stream: true }))
    yield* queue.splice(0)
  }
}

export const isTerminal = (event: Received | undefined): boolean => TERMINAL.some((type) => type === event?.type)

/** The text of a generation: its responses joined. */
export const textOf = (events: readonly Received[]): string =>
  events.flatMap(({ type, data }) => (type === 'responses' ? [String(data.response)] : [])).join('')

export const typesOf = (events: readonly Received[]): string[] => events.map(({ type }) => type)
