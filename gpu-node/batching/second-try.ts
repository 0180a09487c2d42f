import { ProblemError } from '@oriel/protocol/problem'
import { BystanderError } from '../bystander-error.ts'
import type { Member } from './member.ts'

/** A host that is lost over and over is no place to wait: whoever asked decides. */
const MAX_LOSSES = 2

/** Who of a batch that failed goes with whom in the next try. For who is in no part, another would be of no use. */
export function partsToTryAgain(members: readonly Member[], error: unknown): Member[][] {
  if (!(error instanceof ProblemError)) return []
  if (error instanceof BystanderError) {
    const patient = members.filter((member) => ++member.losses <= MAX_LOSSES)
    // When nobody was caught in the act, the next time must tell.
    return error.suspect ? oneByOne(patient) : patient.length > 0 ? [patient] : []
  }
  if (members.length === 1) return []
  switch (error.problem.kind) {
    case 'host-crashed':
    case 'host-hung':
      return oneByOne(members)
    case 'inference-failed':
    case 'out-of-memory':
    case 'input-mismatch': {
      const middle = Math.ceil(members.length / 2)
      return [members.slice(0, middle), members.slice(middle)]
    }
    default:
      return []
  }
}

const oneByOne = (members: readonly Member[]): Member[][] => members.map((member) => [member])
