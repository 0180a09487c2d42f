import type { RequestEvent } from '@oriel/protocol/event'
import { type Accepted, Ended, endedFacts } from '@oriel/protocol/fact'
import { lostEnd } from '@oriel/protocol/lost-end'
import { acceptedSubject, endedSubject } from '@oriel/protocol/subjects'
import * as v from 'valibot'
import { acceptedFact, endedFact } from './facts.ts'
import type { Fact } from './recent-facts.ts'
import type { End, Look } from './request.ts'

export interface MendPort {
  /** What HISTORY was last told on a subject. */
  told(subject: string): Promise<unknown>
  /** As much of the log as the broker has. */
  log(): Promise<readonly RequestEvent[]>
  tell(fact: Fact): Promise<void>
}

/**
 * `on-its-way`: HISTORY has the end, and the recorder will come to it. `told`: it had it not, or may have had only a part
 * of it, and has it again, from the log. `missing`: there is no whole log now, but somebody may bring it back. `lost`: that is given up, and the record is
 * told how the request ended, and that its answer is lost.
 */
export type Mended = 'on-its-way' | 'told' | 'missing' | 'lost'

const Numbered = v.object({ n: Ended.entries.n })

/**
 * Tells HISTORY (again) what it lacks of a request that has ended. Doing it twice changes nothing.
 * @throws when the broker does not answer
 */
export async function mendRecord(port: MendPort, accepted: Accepted, end: End, look: Look): Promise<Mended> {
  const { id } = accepted
  if ((await port.told(acceptedSubject(id))) === undefined) await port.tell(acceptedFact(accepted))
  const last = v.safeParse(Numbered, await port.told(endedSubject(id)))
  const isKnown = last.success && last.output.n === end.n
  if (isKnown && look === 'first') return 'on-its-way'
  const log = await port.log()
  const isWhole = log[0]?.n === 1 && log.at(-1)?.n === end.n
  // HISTORY may have the last part of an end and not the first. The recorder has had its time, and knows repeats: from
  // the second look on all is told again, if the log is there. If not, nothing is better than what HISTORY has.
  if (isKnown && !isWhole) return 'on-its-way'
  if (!isWhole && look !== 'last') return 'missing'
  const facts = endedFacts(id, isWhole ? log : [lostEnd(end)])
  await Promise.all(facts.map((fact) => port.tell(endedFact(fact))))
  return isWhole ? 'told' : 'lost'
}
