import type { NatsConnection } from '@nats-io/nats-core'
import { warmedSubject, warmSubject } from '@oriel/protocol/subjects'
import { WarmAnswer, type WarmOrder } from '@oriel/protocol/warm-up'
import { askNode } from './ask-node.ts'

/**
 * Has a node bring a version into memory and run it once.
 * @returns `undefined` when it does not answer to the end, or `stop` is aborted
 */
export function askWarmUp(
  nc: NatsConnection,
  node: string,
  order: WarmOrder,
  stop: AbortSignal,
): Promise<WarmAnswer | undefined> {
  const answers = warmedSubject(node, order.model, order.version)
  return askNode(nc, { subject: warmSubject(node), order, answers, schema: WarmAnswer }, stop)
}
