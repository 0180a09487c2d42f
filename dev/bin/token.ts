import { parseArgs } from 'node:util'
import { parseConfig } from '../config.ts'
import { readSecrets } from '../secrets.ts'
import { explain } from '../stack-error.ts'
import { StateDir } from '../state-dir.ts'
import { signToken } from '../token.ts'

const HELP = `bun run token -- <user> [--scope <scopes>]    prints a development token for that user, good for 24 hours

Send it as \`Authorization: Bearer <token>\`. It is signed with the local stack's own secret (ORIEL_STATE_DIR).
--scope admin makes it one for operators; several scopes are parted by spaces.`

const { user, scope } = readArguments()
try {
  const secrets = readSecrets(new StateDir(parseConfig(process.env).ORIEL_STATE_DIR))
  console.log(await signToken(secrets.auth, user, { ...(scope !== undefined && { scope }) }))
} catch (error) {
  console.error(explain(error))
  process.exit(1)
}

function readArguments(): { user: string; scope: string | undefined } {
  try {
    const options = { help: { type: 'boolean', short: 'h' }, scope: { type: 'string' } } as const
    const { values, positionals } = parseArgs({ options, allowPositionals: true })
    if (values.help) {
      console.log(HELP)
      process.exit(0)
    }
    const [user, ...more] = positionals
    if (user && more.length === 0) return { user, scope: values.scope }
  } catch {
    // An option that there is not: the usage says which there are.
  }
  console.error(HELP)
  process.exit(2)
}
