import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { describeIssues } from '@oriel/protocol/problem'
import * as v from 'valibot'
import { StackError } from './stack-error.ts'
import type { StateDir } from './state-dir.ts'
import { createPrivate, writePrivate } from './write-file.ts'

const Secret = v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{32,}$/))

/** The local stack's own, made once per state folder. */
export const Secrets = v.strictObject({
  /** Broker identities. */
  nats: v.strictObject({
    edge: Secret,
    node: Secret,
    recorder: Secret,
    /** A folder that is older than planners has none; the broker is told at every start. */
    planner: v.optional(Secret, () => random()),
    admin: Secret,
    system: Secret,
  }),
  postgres: Secret,
  /** Signs the tokens of users (HS256). */
  auth: Secret,
  /** Signs the tokens in events URLs. */
  events: Secret,
  /** With it nodes fetch models' files from the edge. */
  artifacts: Secret,
})
export type Secrets = v.InferOutput<typeof Secrets>

// 256 bits, in letters that need no quoting in a URL, an env file or nats-server.conf.
const random = () => randomBytes(32).toString('base64url')

/** The state folder's secrets, made when there are none yet; one that an older version did not need is added. */
export function readSecrets(dir: StateDir): Secrets {
  const fresh = newSecrets()
  if (!existsSync(dir.secrets)) {
    dir.create()
    createPrivate(dir.secrets, print(fresh))
  }
  const text = readFileSync(dir.secrets, 'utf8')
  const older = v.safeParse(v.pipe(v.string(), v.parseJson(), Older), text)
  const whole = older.success && { ...fresh, ...older.output, nats: { ...fresh.nats, ...older.output.nats } }
  const parsed = v.safeParse(Secrets, whole)
  if (!parsed.success) {
    throw new StackError(
      `${dir.secrets} is damaged (${describeIssues(parsed.issues)}). Its passwords are also in the database beside it:
remove the whole folder ${dir.path} to start anew.`,
    )
  }
  if (print(parsed.output) !== text) writePrivate(dir.secrets, print(parsed.output))
  return parsed.output
}

/** What has never been without a secret since there are stacks; the rest is looked at when it is whole. */
const Older = v.looseObject({ nats: v.looseObject({}), postgres: v.string() })

const print = (secrets: Secrets) => `${JSON.stringify(secrets, null, 2)}\n`

const newSecrets = (): Secrets => ({
  nats: {
    edge: random(),
    node: random(),
    recorder: random(),
    planner: random(),
    admin: random(),
    system: random(),
  },
  postgres: random(),
  auth: random(),
  events: random(),
  artifacts: random(),
})
