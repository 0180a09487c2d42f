import { HistoryPage, SubmissionAnswer } from '@oriel/protocol/api'
import { TERMINAL } from '@oriel/protocol/event'
import { createParser } from 'eventsource-parser'
import * as v from 'valibot'
import { StackError } from './stack-error.ts'

const Data = v.looseObject({ response: v.optional(v.unknown()), sentAt: v.string() })

export interface ApiEvent {
  readonly id: number
  readonly type: string
  readonly data: v.InferOutput<typeof Data>
}

const RETRY_MS = 500

/** Oriel's API as one user sees it. */
export class ApiClient {
  readonly #url: string
  readonly #headers: Record<string, string>

  constructor(url: string, token: string) {
    this.#url = url
    this.#headers = { Authorization: `Bearer ${token}` }
  }

  async submit(modelID: string, request: object): Promise<SubmissionAnswer> {
    const body = JSON.stringify({ modelID, request })
    const headers = { ...this.#headers, 'Content-Type': 'application/json' }
    const response = await fetch(`${this.#url}/requests`, { method: 'POST', headers, body })
    return v.parse(SubmissionAnswer, await json(response, 202))
  }

  /** Every event up to the terminal one, reconnecting as an EventSource would. */
  async *events(eventsURL: string, signal: AbortSignal): AsyncGenerator<ApiEvent> {
    let last: ApiEvent | undefined
    while (!isTerminal(last)) {
      const headers = { 'Last-Event-ID': String(last?.id ?? 0) }
      const response = await fetch(eventsURL, { headers, signal })
      if (response.status === 204) return
      if (!response.ok) await json(response, 200)
      try {
        for await (const event of read(response)) {
          last = event
          yield event
        }
      } catch (error) {
        if (signal.aborted) throw error
      }
      if (!isTerminal(last)) await Bun.sleep(RETRY_MS)
    }
  }

  async history(limit: number): Promise<HistoryPage> {
    const response = await fetch(`${this.#url}/requests?limit=${limit}`, { headers: this.#headers })
    return v.parse(HistoryPage, await json(response, 200))
  }
}

async function json(response: Response, expected: number): Promise<unknown> {
  const text = await response.text()
  if (response.status === expected) return JSON.parse(text)
  throw new StackError(`The edge answered ${response.status} to ${new URL(response.url).pathname}: ${text}`)
}

async function* read(response: Response): AsyncGenerator<ApiEvent> {
  const queue: ApiEvent[] = []
  const parser = createParser({
    onEvent: ({ id, event, data }) =>
      void queue.push({ id: Number(id), type: event ?? '', data: v.parse(Data, JSON.parse(data)) }),
  })
  const decoder = new TextDecoder()
  for await (const chunk of response.body ?? []) {
    parser.feed(decoder.decode(chunk, { stream: true }))
    yield* queue.splice(0)
  }
}

const isTerminal = (event: ApiEvent | undefined) => TERMINAL.some((type) => type === event?.type)
