import { Accepted, Ended, Predicted } from '@oriel/protocol/fact'
import { sentAtOf } from '@oriel/protocol/ids'
import { describeIssues } from '@oriel/protocol/problem'
import { acceptedSubject, endedSubject, predictedSubject, requestOf } from '@oriel/protocol/subjects'
import * as v from 'valibot'
import { DAY_MS } from './partitions.ts'

export type Fact =
  | { readonly kind: 'accepted'; readonly fact: Accepted }
  | { readonly kind: 'ended'; readonly fact: Ended }
  | { readonly kind: 'predicted'; readonly fact: Predicted }

/** Why a message can never be recorded. Says rules and never values. */
export interface Poison {
  readonly kind: 'poison'
  readonly reason: string
}

/** @param now ms since the epoch */
export function parseFact(subject: string, data: Uint8Array, now: number): Fact | Poison {
  const parsed = byKind(subject, data)
  if (parsed.kind === 'poison') return parsed
  const { id } = parsed.fact
  if (id !== requestOf(subject)) return poison('the id is not the one in the subject')
  // Every day that an id names gets a partition: an id that is not a time of sending would make them for nothing.
  for (const each of rowsOf(parsed)) {
    if (each[14] !== '7') return poison('the id is not a UUIDv7')
    if (sentAtOf(each) > now + DAY_MS) return poison('the id is of a time to come')
  }
  return parsed
}

/** The ids of the rows that a fact makes. */
export const rowsOf = (fact: Fact): string[] =>
  fact.kind === 'predicted' ? fact.fact.predictions.map(({ id }) => id) : [fact.fact.id]

function byKind(subject: string, data: Uint8Array): Fact | Poison {
  const id = requestOf(subject)
  if (subject === acceptedSubject(id)) {
    const fact = parse(Accepted, data)
    return typeof fact === 'string' ? poison(fact) : { kind: 'accepted', fact }
  }
  if (subject === endedSubject(id)) {
    const fact = parse(Ended, data)
    return typeof fact === 'string' ? poison(fact) : { kind: 'ended', fact }
  }
  if (subject === predictedSubject(id)) {
    const fact = parse(Predicted, data)
    return typeof fact === 'string' ? poison(fact) : { kind: 'predicted', fact }
  }
  return poison('no fact has this subject')
}

function parse<S extends v.GenericSchema>(schema: S, data: Uint8Array): v.InferOutput<S> | string {
  let json: unknown
  try {
    json = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(data))
  } catch {
    return 'not JSON'
  }
  const parsed = v.safeParse(schema, json)
  return parsed.success ? parsed.output : describeIssues(parsed.issues)
}

const poison = (reason: string): Poison => ({ kind: 'poison', reason })
