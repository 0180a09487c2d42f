import type { RequestEvent } from '@oriel/protocol/event'
import type { RequestId } from '@oriel/protocol/ids'
import { isLostEnd } from '@oriel/protocol/lost-end'
import type { Problem } from '@oriel/protocol/problem'
import type { RequestRecord } from './record.ts'
import type { Order, Outcome, RelayPort } from './relay-port.ts'

export const NOT_RECORDED_YET: Problem = {
  kind: 'unavailable',
  detail: 'The log of the request is not in the record yet; try again.',
  retryAfterMs: 2_000,
}

const LOG_LOST: Problem = {
  kind: 'not-requeueable',
  detail: 'The log of the request was lost, so it cannot go on; send the request anew.',
}

/**
 * Lets the log of a failed request go on, from the record if the broker has not the whole of it, and sends the job. May
 * be repeated until it is known to be done.
 * @param n number of the `failed` that it goes on after
 * @returns the event that the log stands at then; a refusal: it could not go on, or has ended once more
 * @throws when it is not known how far it came
 */
export async function takeUp(
  relay: Pick<RelayPort, 'requeue'>,
  record: Pick<RequestRecord, 'log'>,
  job: Order['job'],
  n: number,
): Promise<Outcome<{ event: RequestEvent }>> {
  let outcome = await relay.requeue({ job, failure: { n } })
  if (outcome.ok && outcome.requeued.kind === 'incomplete') {
    const events = await recordedLog(record, job.id)
    if (events.some(isLostEnd)) return { ok: false, problem: LOG_LOST }
    outcome = await relay.requeue({ job, failure: { n, events } })
  }
  if (!outcome.ok) return outcome
  const { requeued } = outcome
  return requeued.kind === 'incomplete' ? { ok: false, problem: NOT_RECORDED_YET } : { ok: true, event: requeued.event }
}

/** Nothing when the record cannot be asked: then it is as if it had not the log yet. */
async function recordedLog(record: Pick<RequestRecord, 'log'>, id: RequestId): Promise<RequestEvent[]> {
  try {
    return await record.log(id)
  } catch (error) {
    console.warn('the record cannot be asked for the log of a request that is to go on', error)
    return []
  }
}
