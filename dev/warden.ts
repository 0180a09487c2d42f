import { join } from 'node:path'
import { Child } from './child.ts'
import type { StateDir } from './state-dir.ts'

/**
 * A process that does nothing until we are gone, however that came: then it ends the parts that we left behind.
 * A test run that is interrupted leaves no database running.
 */
export function startWarden(dir: StateDir, owner: { pid: number; start: string }): Child {
  const program = join(import.meta.dir, 'warden-main.ts')
  const args = [program, dir.path, String(owner.pid), owner.start]
  return new Child({ file: process.execPath, args, env: process.env, stdin: 'pipe' }, dir.log('warden'))
}
