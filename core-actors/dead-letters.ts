import type { NatsConnection } from '@nats-io/nats-core'
import { Dead } from '@oriel/protocol/dead'
import { ALL_DEAD, DEAD, deadLetter, deadOf, deadSubject, requestOf } from '@oriel/protocol/subjects'
import * as v from 'valibot'

/** A dead letter where it lies. */
export interface Letter {
  readonly id: string
  readonly model: string
  /** In DEAD: names this letter, and not a later one of the same request. */
  readonly sequence: number
  readonly dead: Dead
}

export interface LetterQuery {
  /** All models' unless given. */
  readonly model?: string
  /** Only those after this id in the list. */
  readonly after?: string
  readonly limit: number
}

export interface LetterPage {
  readonly letters: readonly Letter[]
  /** The list goes on after this id. */
  readonly next: string | undefined
}

const API_MS = 5_000
const NOT_FOUND = 404
/** How JetStream says that a sequence is not there (any more): its store's own words, in a code for all failures. */
const NO_SUCH_MESSAGE = /no message found|deleted message|sequence \d+ not found/i
/** Inputs may have a MB each: a page ends when it has this many bytes, and the next goes on. */
const PAGE_BYTES = 4 * 1024 * 1024
const AT_ONCE = 8

const ApiError = v.object({ description: v.string() })
const Info = v.object({
  error: v.optional(ApiError),
  total: v.optional(v.number(), 0),
  state: v.optional(v.object({ subjects: v.nullish(v.record(v.string(), v.number())) })),
})
const Deleted = v.object({ error: v.optional(ApiError) })

/** DEAD, as a relay reads it. One letter lies on one subject, so the subjects are the list. */
export class DeadLetters {
  readonly #connection: NatsConnection

  constructor(connection: NatsConnection) {
    this.#connection = connection
  }

  /** Newest first by the time their requests were sent, which their ids carry. Messages that were no job come before. */
  async list({ model, after, limit }: LetterQuery): Promise<LetterPage> {
    const subjects = (await this.#subjects(model === undefined ? ALL_DEAD : deadOf(model))).sort((a, b) =>
      requestOf(a) < requestOf(b) ? 1 : -1,
    )
    const rest = after === undefined ? subjects : subjects.filter((subject) => requestOf(subject) < after)
    const letters: Letter[] = []
    let [at, bytes] = [0, 0]
    while (at < rest.length && letters.length < limit && bytes < PAGE_BYTES) {
      const some = rest.slice(at, at + Math.min(AT_ONCE, limit - letters.length))
      for (const found of await Promise.all(some.map((subject) => this.#get({ last_by_subj: subject })))) {
        if (!found) continue // discarded since
        letters.push(found.letter)
        bytes += found.bytes
      }
      at += some.length
    }
    const last = rest[at - 1]
    return { letters, next: at < rest.length && last !== undefined ? requestOf(last) : undefined }
  }

  async find(id: string): Promise<Letter | undefined> {
    return (await this.#get({ seq: 1, next_by_subj: deadLetter(id) }))?.letter
  }

  /** @returns false: it was not there (any more) */
  async discard(sequence: number): Promise<boolean> {
    const { error } = v.parse(Deleted, await this.#ask(`$JS.API.STREAM.MSG.DELETE.${DEAD}`, { seq: sequence }))
    if (error && !NO_SUCH_MESSAGE.test(error.description)) throw new Error(error.description)
    return error === undefined
  }

  async #subjects(filter: string): Promise<string[]> {
    const subjects: string[] = []
    for (;;) {
      const order = { subjects_filter: filter, offset: subjects.length }
      const { error, state, total } = v.parse(Info, await this.#ask(`$JS.API.STREAM.INFO.${DEAD}`, order))
      if (error) throw new Error(error.description)
      const page = Object.keys(state?.subjects ?? {})
      subjects.push(...page)
      if (page.length === 0 || subjects.length >= total) return subjects
    }
  }

  async #get(order: object): Promise<{ letter: Letter; bytes: number } | undefined> {
    const options = { timeout: API_MS }
    const reply = await this.#connection.request(`$JS.API.DIRECT.GET.${DEAD}`, JSON.stringify(order), options)
    const code = reply.headers?.code ?? 0
    if (code === NOT_FOUND) return undefined
    if (code > 299) throw new Error(`a dead letter could not be read: ${reply.headers?.description}`)
    const subject = reply.headers?.get('Nats-Subject') ?? ''
    const id = requestOf(subject)
    const model = subject.slice(deadSubject('', '').length - 1, -id.length - 1)
    const letter = { id, model, sequence: Number(reply.headers?.get('Nats-Sequence')), dead: parseDead(reply.data) }
    return { letter, bytes: reply.data.length }
  }

  async #ask(subject: string, order: object): Promise<unknown> {
    return (await this.#connection.request(subject, JSON.stringify(order), { timeout: API_MS })).json()
  }
}

/** A letter that cannot be read can still be shown and discarded. */
function parseDead(data: Uint8Array): Dead {
  const text = new TextDecoder().decode(data)
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), Dead), text)
  if (parsed.success) return parsed.output
  const problem = { kind: 'internal', detail: 'The letter itself cannot be read.' } as const
  return { at: 0, node: '', deliveries: 0, problem, attempts: [], message: text.slice(0, 64 * 1024) }
}
