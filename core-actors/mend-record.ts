import type { RequestEvent } from '@oriel/protocol/event'
import { type Accepted, Ended, endedFacts } from '@oriel/protocol/fact'
import { lostEnd } from '@oriel/protocol/lost-end'
import { acceptedSubject, endedSubject } from '@oriel/protocol/subjects'
import * as v from 'valibot'
import { acceptedFact, endedFact } from './facts.ts'
import type { Fact } from './recent-facts.ts'
import type { End } from './request.ts'

export interface MendPort {
  /** What HISTORY was last told on a subject. */
  told(subject: string): Promise<unknown>
  /** As much of the log as the broker has. */
  log(): Promise<readonly RequestEvent[]>
  tell(fact: Fact): Promise<void>
}

/**
 * `on-its-way`: HISTORY has the end, and the recorder will come to it. `told`: it had it not, and has it again, from the
 * log. `missing`: there is no whole log now, but somebody may bring it back. `lost`: that is given up, and the record is
 * told how the request ended, and that its answer is lost.
 */
export type Mended = 'on-its-way' | 'told' | 'missing' | 'lost'

const Numbered = v.object({ n: Ended.entries.n })

/**
 * Tells HISTORY (again) what it lacks of a request that has ended. Doing it twice changes nothing.
 * @param isOver nobody can bring the log back any more
 * @throws when the broker does not answer
 */
export async function mendRecord(port: MendPort, accepted: Accepted, end: End, isOver: boolean): Promise<Mended> {
  const { id } = accepted
  if ((await port.told(acceptedSubject(id))) === undefined) await port.tell(acceptedFact(accepted))
  const last = v.safeParse(Numbered, await port.told(endedSubject(id)))
  if (last.success && last.output.n === end.n) return 'on-its-way'
  const log = await port.log()
  const isWhole = log[0]?.n === 1 && log.at(-1)?.n === end.n
  if (!isWhole && !isOver) return 'missing'
  const facts = endedFacts(id, isWhole ? log : [lostEnd(end)])
  await Promise.all(facts.map((fact) => port.tell(endedFact(fact))))
  return isWhole ? 'told' : 'lost'
}
