import type { NatsConnection } from '@nats-io/nats-core'
import type { NewEvent, RequestEvent } from '@oriel/protocol/event'
import { endedFacts } from '@oriel/protocol/fact'
import type { RequestId } from '@oriel/protocol/ids'
import { cancelSubject } from '@oriel/protocol/subjects'
import { type Ending, endLog } from './end-log.ts'
import { endedFact } from './facts.ts'
import { LogStore } from './log-store.ts'
import type { Fact } from './recent-facts.ts'

export interface EndingParts {
  /** What clients were told while the request waited, as far as that is known. */
  readonly told: (id: RequestId) => readonly RequestEvent[]
  /** Resolves when the broker has the fact. */
  readonly tell: (fact: Fact) => Promise<void>
}

/**
 * Ends a request in place of a node, whoever has it: its log, then its node, then the record. Doing it again changes
 * nothing.
 * @throws when the broker does not take all of it
 */
export async function endRequest(
  connection: NatsConnection,
  shard: number,
  id: RequestId,
  event: NewEvent,
  { told, tell }: EndingParts,
): Promise<Ending> {
  const log = new LogStore(connection)
  const ending = await endLog(
    {
      told: told(id),
      read: (after) => log.read(shard, id, after),
      append: (next, last) => log.append(shard, id, next, last),
      now: () => Date.now(),
    },
    event,
  )
  // Only now: a node that hears of it first would write an end of its own.
  connection.publish(cancelSubject(id))
  const facts = endedFacts(id, ending.events)
  await Promise.all(facts.map((fact) => tell(endedFact(fact))))
  return ending
}
