import { STATUSES, TERMINAL } from '@oriel/protocol/event'
import * as v from 'valibot'
import type { Client, Received } from '../support/client.ts'
import type { Cancellation, RequestObservation } from './observation.ts'
import { pause } from './pause.ts'

const ANSWER_MS = 10_000
const AGAIN_MS = 500

const Answer = v.pipe(v.string(), v.parseJson(), v.object({ status: v.picklist(STATUSES) }))

const isEnd = ({ type }: { type: string }) => TERMINAL.some((end) => end === type)

interface Cancelling {
  /** What the client's stream gave it. */
  saw(event: Received): void
  /** Until the cancellation has its answer, if there is one to be had. */
  done(): Promise<void>
}

/** Cancels an accepted request when its plan says so. */
export function cancel(client: Client, { planned, cancellations }: RequestObservation, stop: AbortSignal): Cancelling {
  const when = planned.cancel
  let answered: Promise<void> | undefined
  const send = async () => await untilAnswered(client, planned.requestID, cancellations, stop)
  if (when && 'afterMs' in when) answered = pause(when.afterMs, stop).then(send)
  const saw = (event: Pick<Received, 'id' | 'type'>) => {
    if (when && 'after' in when && event.id >= when.after && !isEnd(event)) answered ??= send()
  }
  saw({ id: 0, type: '' })
  return { saw, done: async () => await answered }
}

async function untilAnswered(
  client: Client,
  requestID: string,
  cancellations: Cancellation[],
  stop: AbortSignal,
): Promise<void> {
  while (!stop.aborted) {
    const at = Date.now()
    const outcome = await ask(client, requestID, stop)
    cancellations.push({ at, answeredAt: Date.now(), outcome })
    if (outcome.kind === 'answered' || (outcome.kind === 'refused' && outcome.status < 429)) return
    await pause(AGAIN_MS, stop)
  }
}

async function ask(client: Client, requestID: string, stop: AbortSignal): Promise<Cancellation['outcome']> {
  try {
    const signal = AbortSignal.any([AbortSignal.timeout(ANSWER_MS), stop])
    const response = await client.send(`/requests/${requestID}`, { method: 'DELETE', signal })
    const text = await response.text()
    if (response.status !== 200) return { kind: 'refused', status: response.status, problem: text }
    return { kind: 'answered', status: v.parse(Answer, text).status }
  } catch (error) {
    return { kind: 'lost', why: String(error) }
  }
}
