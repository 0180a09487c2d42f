import { DurableObject } from 'cloudflare:workers'
import type { RecordedRequest, RequestRecord } from '@oriel/core-actors/record'
import type { Outcome } from '@oriel/core-actors/relay-port'
import { History } from '@oriel/db/history'
import type { RequestEvent } from '@oriel/protocol/event'
import type { RequestId } from '@oriel/protocol/ids'
import { ProblemError } from '@oriel/protocol/problem'
import type { Sql } from 'postgres'
import { Breather } from './breather.ts'
import { ANSWER_MS, answered, connect, disconnect, HISTORY_AWAY, unavailable } from './database.ts'
import type { Env } from './env.ts'

/** Connections of one desk. */
const CONNECTIONS = 4
/** What a submit waits for the record, which it can do without, and how long all do without after that. */
const LOOK_UP_MS = 750
const REST_MS = 2_000

type Answer<T> = Outcome<{ readonly answer: T }>

/** Asks the record on behalf of actors, over a few connections that it keeps: an actor lives for one request. */
export class RecordDesk extends DurableObject<Env> {
  #sql: Sql | undefined
  /** Since when nothing was answered. */
  #silentSince: number | undefined
  readonly #lookUps = new Breather(REST_MS)

  find(user: string, requestID: string): Promise<Answer<RecordedRequest | undefined>> {
    const ask = () => this.#ask((history) => history.find(user, requestID), LOOK_UP_MS)
    return outcome(this.#lookUps.run(ask, () => unavailable(HISTORY_AWAY)))
  }

  isRecorded(id: RequestId, n: number): Promise<Answer<boolean>> {
    return outcome(this.#ask((history) => history.isRecorded(id, n), ANSWER_MS))
  }

  listed(ids: readonly string[]): Promise<Answer<string[]>> {
    return outcome(this.#ask((history) => history.listed(ids), ANSWER_MS))
  }

  log(id: RequestId): Promise<Answer<RequestEvent[]>> {
    return outcome(this.#ask((history) => allOf(history.events(id)), ANSWER_MS))
  }

  async #ask<T>(ask: (history: History) => Promise<T>, withinMs: number): Promise<T> {
    this.#sql ??= connect(this.env, CONNECTIONS)
    const sql = this.#sql
    const askedAt = Date.now()
    try {
      const answer = await answered(ask(new History(sql)), withinMs, HISTORY_AWAY)
      this.#silentSince = undefined
      return answer
    } catch (error) {
      // Whoever asked may have had little time, and a connection on a busy machine takes longer than that to make. Silence
      // for so long is a half-open connection, which would be asked for ever.
      this.#silentSince ??= askedAt
      const broken = error instanceof Error && error.cause !== undefined
      if (this.#sql === sql && (broken || Date.now() - this.#silentSince >= ANSWER_MS)) {
        this.#sql = undefined
        this.#silentSince = undefined
        disconnect(sql)
      }
      throw error
    }
  }
}

async function allOf<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const item of items) all.push(item)
  return all
}

/** The desk, as an actor sees it. */
export class DeskRecord implements RequestRecord {
  readonly #desk: () => DurableObjectStub<RecordDesk>

  constructor(desk: () => DurableObjectStub<RecordDesk>) {
    this.#desk = desk
  }

  async find(user: string, requestID: string) {
    return answerOf(await this.#desk().find(user, requestID))
  }

  async isRecorded(id: RequestId, n: number) {
    return answerOf(await this.#desk().isRecorded(id, n))
  }

  async listed(ids: readonly string[]) {
    return answerOf(await this.#desk().listed(ids))
  }

  async log(id: RequestId) {
    return answerOf(await this.#desk().log(id))
  }
}

/** Refusals cross the RPC as values: an error class does not survive the way. */
async function outcome<T>(asked: Promise<T>): Promise<Answer<T>> {
  try {
    return { ok: true, answer: await asked }
  } catch (error) {
    if (error instanceof ProblemError) return { ok: false, problem: error.problem }
    throw error
  }
}

function answerOf<T>(told: Answer<T>): T {
  if (!told.ok) throw new ProblemError(told.problem)
  return told.answer
}
