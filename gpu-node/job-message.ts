import { Job } from '@oriel/protocol/job'
import { describeIssues, type Problem } from '@oriel/protocol/problem'
import * as v from 'valibot'

/** What can be told of a message that is no job. */
export interface Poison {
  readonly problem: Problem
  /** Its text, or the beginning of it. */
  readonly message: string
  /** Which request it was about, when that much can be read: its client must be told. */
  readonly about: Pick<Job, 'id' | 'shard'> | undefined
}

const About = v.pick(Job, ['id', 'shard'])
const KEPT_CHARS = 64 * 1024

export function parseJob(data: Uint8Array): { readonly job: Job } | { readonly poison: Poison } {
  const message = new TextDecoder().decode(data)
  const poison = (rules: string, about?: Poison['about']) => {
    const problem: Problem = { kind: 'internal', detail: `The job cannot be read: ${rules}.` }
    return { poison: { problem, message: message.slice(0, KEPT_CHARS), about } }
  }
  let value: unknown
  try {
    value = JSON.parse(message)
  } catch {
    return poison('not JSON')
  }
  const parsed = v.safeParse(Job, value)
  if (parsed.success) return { job: parsed.output }
  const about = v.safeParse(About, value)
  return poison(describeIssues(parsed.issues), about.success ? about.output : undefined)
}
