import type { RequestEvent } from '@oriel/protocol/event'
import { LOG_MAX_AGE_MS } from '@oriel/protocol/streams'
import type { RawPage } from './log-store.ts'
import { readOn } from './read-on.ts'

export interface RequeuePort {
  read(after: number): Promise<RawPage>
  append(event: RequestEvent, last: number): Promise<number | 'fenced'>
  /** Removes the log as it is. */
  purge(): Promise<void>
  now(): number
}

export interface Failure {
  /** Number of the `failed` that is to be followed. */
  readonly n: number
  /** The log up to it, as the record has it. */
  readonly events?: readonly RequestEvent[]
}

/**
 * `queued`: this event was added. `incomplete`: the broker has not the whole log, or not for long enough; it has
 * to come from the record. `standing`: the log has gone on already, by another's hand; this is its last event.
 */
export type Requeued =
  | { readonly kind: 'queued'; readonly event: RequestEvent }
  | { readonly kind: 'incomplete' }
  | { readonly kind: 'standing'; readonly event: RequestEvent }

/** Events age one by one: what is left of a log must outlast the request, which takes half as long at most. */
const MAX_AGE_MS = LOG_MAX_AGE_MS / 2
const MAX_TRIES = 10

/**
 * Adds `queued` to a log that ends with `failed`, so that it goes on. The fence decides between two who try.
 * @throws when the log cannot be read or written
 */
export async function requeueLog(port: RequeuePort, position: number, failure: Failure): Promise<Requeued> {
  for (let tries = 0; tries < MAX_TRIES; tries += 1) {
    const { events, sequence } = await readOn((after) => port.read(after))
    const last = events.at(-1)
    if (last && last.n > failure.n && last.type !== 'failed') return { kind: 'standing', event: last }
    const first = events[0]
    const whole = first?.n === 1 && last?.type === 'failed' && last.n >= failure.n
    if (whole && port.now() - first.at < MAX_AGE_MS) {
      const event = queuedAfter(last, position, port.now())
      if ((await port.append(event, sequence)) !== 'fenced') return { kind: 'queued', event }
      continue
    }
    const event = await restore(port, position, failure, last)
    if (event === undefined) return { kind: 'incomplete' }
    if (event !== 'fenced') return { kind: 'queued', event }
  }
  throw new Error(`the log could not be continued in ${MAX_TRIES} tries`)
}

/** Writes the log anew, under the same numbers, and goes on. Whoever is interrupted leaves a log that is not whole. */
async function restore(port: RequeuePort, position: number, { events }: Failure, last: RequestEvent | undefined) {
  const failed = events?.at(-1)
  if (!events || failed?.type !== 'failed' || (last && last.n > failed.n)) return undefined
  await port.purge()
  const queued = queuedAfter(failed, position, port.now())
  let sequence = 0
  for (const event of [...events, queued]) {
    const appended = await port.append(event, sequence)
    if (appended === 'fenced') return 'fenced'
    sequence = appended
  }
  return queued
}

const queuedAfter = (failed: RequestEvent, position: number, now: number): RequestEvent => ({
  n: failed.n + 1,
  at: Math.max(now, failed.at),
  type: 'queued',
  position,
})
