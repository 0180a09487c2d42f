import { userInfo } from 'node:os'
import { StackError } from './stack-error.ts'

export interface Account {
  readonly uid: number
  readonly gid: number
}

/** PostgreSQL refuses to run as root: under root it runs as `postgres`, or as `nobody`. Otherwise as we do. */
export function postgresAccount(): Account | undefined {
  if (userInfo().uid !== 0) return undefined
  for (const name of ['postgres', 'nobody']) {
    const uid = idOf('-u', name)
    const gid = idOf('-g', name)
    if (uid !== undefined && gid !== undefined) return { uid, gid }
  }
  throw new StackError('PostgreSQL does not run as root, and there is neither a user postgres nor nobody to run it as.')
}

function idOf(flag: string, name: string): number | undefined {
  const { success, stdout } = Bun.spawnSync(['id', flag, name], { stderr: 'ignore' })
  return success ? Number(stdout.toString()) : undefined
}

// Lets that user walk through folders that are root's alone, such as /root, to its own data and to the program.
// PostgreSQL asks access(2) beforehand, which counts capabilities only under this secure bit: capabilities(7).
const CAPS = '+dac_override,+dac_read_search'
const WALK = ['--securebits=+no_setuid_fixup', `--inh-caps=${CAPS}`, `--ambient-caps=${CAPS}`]

/**
 * The words to put before a command so that it runs as `account`.
 * @param reach what the account has to get at
 * @throws StackError when it cannot
 */
export function runAs(account: Account, reach: readonly string[]): string[] {
  const setpriv = Bun.which('setpriv')
  if (!setpriv) throw new StackError('Under root, Oriel needs setpriv (apt install util-linux) to start PostgreSQL.')
  const plain = [setpriv, `--reuid=${account.uid}`, `--regid=${account.gid}`, '--clear-groups']
  const canReach = (prefix: string[]) => reach.every((path) => works([...prefix, 'test', '-x', path]))
  for (const prefix of [plain, [...plain, ...WALK]]) if (canReach(prefix)) return prefix
  throw new StackError(
    `PostgreSQL does not run as root, and the user it runs as instead cannot get at ${reach.join(' and ')}.
Put the checkout and ORIEL_STATE_DIR where others may enter, or start Oriel as another user than root.`,
  )
}

const works = (command: string[]) => Bun.spawnSync(command, { stdout: 'ignore', stderr: 'ignore' }).success
