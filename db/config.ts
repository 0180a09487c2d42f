import { describeIssues } from '@oriel/protocol/problem'
import * as v from 'valibot'

const DatabaseURL = v.pipe(
  v.string(),
  v.regex(/^postgres(ql)?:\/\//),
  v.url(),
  v.metadata({ help: 'The database, postgres://user:password@host:port/name.' }),
)

export const MigrateConfig = v.object({ ORIEL_DATABASE_URL: DatabaseURL })

export const RecorderConfig = v.object({
  ORIEL_DATABASE_URL: DatabaseURL,
  ORIEL_NATS_URL: v.pipe(
    v.optional(v.string(), 'nats://127.0.0.1:4222'),
    v.metadata({ help: 'The broker; several addresses are parted by commas.' }),
  ),
  ORIEL_NATS_USER: v.pipe(v.optional(v.string(), 'recorder'), v.metadata({ help: 'The broker identity.' })),
  ORIEL_NATS_PASSWORD: v.pipe(v.string(), v.metadata({ help: 'Its password.' })),
  ORIEL_EXIT_WITH_PARENT: v.pipe(
    v.optional(v.picklist(['0', '1']), '0'),
    v.metadata({ help: '1: leave when the process that started this one is gone.' }),
  ),
})

type Schema = v.ObjectSchema<v.ObjectEntries, undefined>

/**
 * The program's configuration. With `--help` it prints every variable and leaves; what is wrong it names, all of
 * it at once and without the values, and leaves.
 */
export function readConfig<S extends Schema>(program: string, schema: S): v.InferOutput<S> {
  if (process.argv.includes('--help')) {
    console.log(help(program, schema))
    process.exit(0)
  }
  // An empty variable is one that was not set: compose files and shells cannot always leave it out.
  const set = Object.fromEntries(Object.entries(process.env).filter(([, value]) => value !== ''))
  const parsed = v.safeParse(schema, set)
  if (parsed.success) return parsed.output
  console.error(`${program}: ${describeIssues(parsed.issues)}. See --help.`)
  process.exit(1)
}

function help(program: string, schema: Schema): string {
  const lines = Object.entries(schema.entries).map(
    ([name, entry]) => `  ${name.padEnd(24)}${v.getMetadata(entry).help}`,
  )
  return `${program}\n\nEnvironment:\n${lines.join('\n')}`
}
