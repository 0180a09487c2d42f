import { jetstream } from '@nats-io/jetstream'
import type { NatsConnection } from '@nats-io/nats-core'
import { attemptsOf } from '@oriel/protocol/attempts'
import type { Dead } from '@oriel/protocol/dead'
import { failedBy } from '@oriel/protocol/failure'
import type { RequestId } from '@oriel/protocol/ids'
import { Job } from '@oriel/protocol/job'
import type { Problem } from '@oriel/protocol/problem'
import { deadSubject, JOBS } from '@oriel/protocol/subjects'
import * as v from 'valibot'
import { type EndingParts, endRequest } from './end-request.ts'

/** Of the broker's advisory, what matters here. */
const Advisory = v.object({ stream_seq: v.number(), deliveries: v.number() })

/** The broker's answer to a get: the message's body is in base64. */
const Stored = v.object({ message: v.optional(v.object({ data: v.string() })) })

const ASK_MS = 5_000

/**
 * A job that has had all its deliveries would stay in JOBS, and its request open, until its deadline: it ends every node
 * before that can write a word. It is failed and kept in DEAD. All relays hear of it and may do this; each step
 * done twice is done once.
 * @throws when the broker does not take all of it
 */
export async function giveUp(
  connection: NatsConnection,
  advisory: unknown,
  shardOf: (id: RequestId) => number,
  parts: EndingParts,
): Promise<void> {
  const { stream_seq: seq, deliveries } = v.parse(Advisory, advisory)
  const ask = async (verb: string, order: object) =>
    (await connection.request(`$JS.API.STREAM.MSG.${verb}.${JOBS}`, JSON.stringify(order), { timeout: ASK_MS })).json()
  const { message } = v.parse(Stored, await ask('GET', { seq }))
  if (!message) return
  const job = v.parse(Job, JSON.parse(textOf(message.data)))
  const problem: Problem = {
    kind: 'host-crashed',
    detail: `The request was given to nodes ${deliveries} times and none could say how it ended.`,
  }
  const { event, events } = await endRequest(connection, shardOf(job.id), job.id, failedBy(problem), parts)
  if (event.type === 'failed') {
    const entry: Dead = {
      at: event.at,
      node: 'relay',
      deliveries,
      problem: event.problem,
      attempts: attemptsOf(events),
      job,
    }
    await jetstream(connection).publish(deadSubject(job.model, job.id), JSON.stringify(entry), {
      msgID: `dead.${job.id}.${event.n}`,
    })
  }
  await ask('DELETE', { seq, no_erase: true })
  console.warn('a job was given up after all its deliveries', job.id, deliveries)
}

const textOf = (base64: string) => new TextDecoder().decode(Uint8Array.from(atob(base64), (char) => char.charCodeAt(0)))
