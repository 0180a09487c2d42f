import type { Problem } from '@oriel/protocol/problem'

/**
 * What is told of work that was lost with its host.
 * @param how `hung`, `signal SIGSEGV`, `exit code 1`
 * @param culprit whether the host was in the middle of this very work
 */
export function lossOf(type: 'load' | 'run', how: string, culprit: boolean): Problem {
  if (!culprit) return { kind: 'host-crashed', detail: 'The process was replaced while it did other work.' }
  const what = how === 'hung' ? 'gave no sign of life for its time limit' : `ended its process (${how})`
  // A load is the model's own affair: it would end the same way in the next host.
  if (type === 'load') return { kind: 'model-unavailable', detail: `The model ${what} while it was loaded.` }
  return { kind: how === 'hung' ? 'host-hung' : 'host-crashed', detail: `The model ${what}.` }
}
