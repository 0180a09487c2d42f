import type { NatsConnection } from '@nats-io/nats-core'
import { CheckAnswer } from '@oriel/protocol/check'
import type { Manifest } from '@oriel/protocol/manifest'
import { CHECK, checkedSubject } from '@oriel/protocol/subjects'
import { askNode } from './ask-node.ts'

/**
 * Asks any one node whether a version can be opened.
 * @returns `undefined` when no node answers to the end, or `stop` is aborted
 */
export function askCheck(nc: NatsConnection, manifest: Manifest, stop: AbortSignal): Promise<CheckAnswer | undefined> {
  const answers = checkedSubject(manifest.name, manifest.version)
  return askNode(nc, { subject: CHECK, order: manifest, answers, schema: CheckAnswer }, stop)
}
