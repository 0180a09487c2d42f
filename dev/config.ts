import { describeIssues } from '@oriel/protocol/problem'
import * as v from 'valibot'
import { StackError } from './stack-error.ts'

const Path = v.pipe(v.string(), v.minLength(1))

const MAX_PORT = 65_535

/** What a person may set for the local stack. */
export const Config = v.object({
  ORIEL_PORT: v.pipe(
    v.optional(v.pipe(v.string(), v.digits(), v.toNumber(), v.maxValue(MAX_PORT)), '8787'),
    v.metadata({ help: 'The port of the edge, 0 for any free one (8787).' }),
  ),
  ORIEL_STATE_DIR: v.pipe(
    v.optional(Path, '.oriel'),
    v.metadata({ help: 'The folder that holds all state: database, streams, secrets, logs (.oriel).' }),
  ),
  ORIEL_CACHE_DIR: v.pipe(
    v.optional(Path),
    v.metadata({ help: 'Where built and downloaded programs are kept (~/.cache/oriel).' }),
  ),
  ORIEL_PARTITIONS: v.pipe(
    v.optional(v.pipe(v.string(), v.digits(), v.toNumber(), v.minValue(2), v.maxValue(256)), '8'),
    v.metadata({ help: 'Partitions of the models, more than before or as many (8).' }),
  ),
  NATS_SERVER_BIN: v.pipe(v.optional(Path), v.metadata({ help: 'A nats-server, 2.12 or newer, to use.' })),
})
export type Config = v.InferOutput<typeof Config>

/** @throws StackError naming every variable that is wrong and the rule, never the value */
export function parseConfig(env: Readonly<Record<string, string | undefined>>): Config {
  const set = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ''))
  const parsed = v.safeParse(Config, set)
  if (!parsed.success) throw new StackError(`The settings are wrong. ${describeIssues(parsed.issues)}`)
  return parsed.output
}

export const configHelp = () =>
  Object.entries(Config.entries)
    .map(([name, entry]) => `  ${name.padEnd(16)} ${v.getMetadata(entry).help}`)
    .join('\n')
