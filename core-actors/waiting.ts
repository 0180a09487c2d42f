import type { NewEvent, RequestEvent } from '@oriel/protocol/event'
import { isTerminal } from '@oriel/protocol/event'

export interface Prospects {
  /** A live node has its model. */
  readonly served: boolean
  /** How many wait in its lane, itself and those behind it included. */
  readonly depth: number
  readonly sentAt: number
  readonly now: number
}

/**
 * What a request that no node has in hand is told while it waits: its place in the queue, or that nothing can run
 * it. Nothing, when its log says that there is no need.
 * @param last of its log
 */
export function newsOf(last: RequestEvent, { served, depth, sentAt, now }: Prospects): NewEvent | undefined {
  if (isTerminal(last)) return undefined
  const waitsForModel = last.type === 'progress' && last.waitingFor !== undefined
  if (!served) {
    // Until then it would wait anyway.
    if (last.type === 'retrying' && now < last.at + last.inMs) return undefined
    return { type: 'progress', elapsedMs: Math.max(0, now - sentAt), waitingFor: 'model' }
  }
  // An attempt that is to be taken up again is at the head of its queue.
  if (last.type !== 'queued' && !waitsForModel) return undefined
  const behind = Math.max(0, depth - 1)
  // A place only ever gets better.
  return { type: 'queued', position: last.type === 'queued' ? Math.min(last.position, behind) : behind }
}
