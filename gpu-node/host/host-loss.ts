import { ProblemError } from '@oriel/protocol/problem'
import { BystanderError } from '../bystander-error.ts'

/** Of work that was lost with its host, whether it did it: `maybe` when nobody can tell. */
export type Blame = 'culprit' | 'maybe' | 'innocent'

/**
 * A host that is in the middle of a step says whose it is. Between steps nobody is caught in the act: then it was
 * the one that was alone, or it may have been any.
 * @param current the work whose step the host was in the middle of; 0 for none
 * @param works all that it had
 */
export function blameFor(work: number, current: number, works: readonly number[]): Blame {
  if (works.includes(current)) return work === current ? 'culprit' : 'innocent'
  return works.length === 1 ? 'culprit' : 'maybe'
}

/**
 * What is told of work that was lost with its host.
 * @param how `hung`, `signal SIGSEGV`, `exit code 1`
 */
export function lossOf(type: 'inspect' | 'load' | 'run' | 'infer', how: string, blame: Blame): ProblemError {
  if (blame !== 'culprit') {
    const detail = 'The process was replaced while it did other work.'
    return new BystanderError({ kind: 'host-crashed', detail }, blame === 'maybe')
  }
  const what = how === 'hung' ? 'gave no sign of life for its time limit' : `ended its process (${how})`
  // To load or to read it is the model's own affair: it would end the same way in the next host.
  if (type === 'load' || type === 'inspect') {
    return new ProblemError({
      kind: 'model-unavailable',
      detail: `The model ${what} while it was ${type === 'load' ? 'loaded' : 'read'}.`,
    })
  }
  return new ProblemError({ kind: how === 'hung' ? 'host-hung' : 'host-crashed', detail: `The model ${what}.` })
}
