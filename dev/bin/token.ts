import { parseConfig } from '../config.ts'
import { readSecrets } from '../secrets.ts'
import { explain } from '../stack-error.ts'
import { StateDir } from '../state-dir.ts'
import { signToken } from '../token.ts'

const HELP = `bun run token -- <user>    prints a development token for that user, good for 24 hours

Send it as \`Authorization: Bearer <token>\`. It is signed with the local stack's own secret (ORIEL_STATE_DIR).`

const [user, ...more] = process.argv.slice(2)
if (user === '--help' || user === '-h') {
  console.log(HELP)
  process.exit(0)
}
if (!user || user.startsWith('-') || more.length > 0) {
  console.error(HELP)
  process.exit(2)
}
try {
  const secrets = readSecrets(new StateDir(parseConfig(process.env).ORIEL_STATE_DIR))
  console.log(await signToken(secrets.auth, user))
} catch (error) {
  console.error(explain(error))
  process.exit(1)
}
