import { join } from 'node:path'
import { natsUrl } from '../broker.ts'
import { parseConfig } from '../config.ts'
import { findNatsCli } from '../nats-cli.ts'
import { readPorts } from '../ports.ts'
import { readSecrets } from '../secrets.ts'
import { explain, StackError } from '../stack-error.ts'
import { StateDir } from '../state-dir.ts'
import { readStatus } from '../status.ts'

try {
  const dir = new StateDir(parseConfig(process.env).ORIEL_STATE_DIR)
  const ports = readPorts(dir)
  if (!ports || !(await readStatus(dir)))
    throw new StackError(`No stack runs in ${dir.path}. Start one with: bun run dev`)
  const file = await findNatsCli(console.error)
  const env = {
    ...process.env,
    NATS_URL: natsUrl(ports.nats),
    NATS_USER: 'admin',
    // Not as an argument: those are shown to everyone on the machine.
    NATS_PASSWORD: readSecrets(dir).nats.admin,
    // Whatever context the person has selected for other brokers is not meant for this one.
    XDG_CONFIG_HOME: join(dir.path, 'nats-cli'),
  }
  process.execve?.(file, [file, ...process.argv.slice(2)], env)
} catch (error) {
  console.error(explain(error))
  process.exit(1)
}
