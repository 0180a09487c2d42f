import { ModelName } from '@oriel/protocol/manifest'
import { ProblemError } from '@oriel/protocol/problem'
import * as v from 'valibot'
import type { ModelRef } from './port.ts'

const Version = v.pipe(v.string(), v.regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/))

/**
 * `name`, `name@3` or `name@production` as a request has them in its path, and the version of the path if it has one.
 * @throws ProblemError model-not-found, for what cannot be a model's name either
 */
export function parseModelRef(text: string, versionInPath?: string): ModelRef {
  const [name = '', ...rest] = text.split('@')
  const version = versionInPath ?? rest[0]
  const twice = rest.length > 1 || (versionInPath !== undefined && rest.length > 0)
  if (twice || !v.is(ModelName, name) || (version !== undefined && !v.is(Version, version))) {
    throw new ProblemError({ kind: 'model-not-found', detail: 'No model has such a name or version.' })
  }
  return version === undefined ? { name } : { name, version }
}
