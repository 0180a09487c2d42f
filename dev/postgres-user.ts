import { chmodSync } from 'node:fs'
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
const CAPS = '+dac_override,+dac_read_search'

/**
 * The words to put before a command so that it runs as `account`.
 * @param reach a folder that the account has to get into
 */
export function runAs(account: Account, reach: string): string[] {
  const setpriv = Bun.which('setpriv')
  if (!setpriv) throw new StackError('Under root, Oriel needs setpriv (apt install util-linux) to start PostgreSQL.')
  const plain = [setpriv, `--reuid=${account.uid}`, `--regid=${account.gid}`, '--clear-groups']
  const able = [...plain, `--inh-caps=${CAPS}`, `--ambient-caps=${CAPS}`]
  if (works([...able, 'test', '-x', reach])) return able
  chmodSync(reach, 0o711)
  if (works([...plain, 'test', '-x', reach])) return plain
  throw new StackError(
    `PostgreSQL does not run as root, and the user it runs as instead cannot get into ${reach}.
Set ORIEL_STATE_DIR to a folder that others may enter, or start Oriel as another user than root.`,
  )
}

const works = (command: string[]) => Bun.spawnSync(command, { stdout: 'ignore', stderr: 'ignore' }).success
