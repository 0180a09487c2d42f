import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { makeCached } from '@oriel/dev/tool-cache'

export interface PythonPackage {
  readonly name: string
  /** As pip takes it, with its version. */
  readonly requirement: string
}

/** Of Python 3; undefined where there is none that can make an environment. */
export function pythonMinor(): number | undefined {
  const path = Bun.which('python3')
  if (!path) return undefined
  const { stdout, exitCode } = Bun.spawnSync([path, '-c', 'import sys, venv, ensurepip; print(sys.version_info[1])'])
  return exitCode === 0 ? Number(stdout.toString()) : undefined
}

/** A folder with the package, made the first time and kept; another requirement or Python is another environment. */
export function pythonEnvironment({ name, requirement }: PythonPackage): Promise<string> {
  const mark = createHash('sha256').update(`${requirement} ${pythonMinor()}`).digest('hex').slice(0, 12)
  return makeCached(`python-${name}-${mark}`, console.log, async (path) => {
    console.log(`installing ${requirement} from PyPI, once`)
    await run(['python3', '-m', 'venv', path])
    await run([
      join(path, 'bin', 'python'),
      '-m',
      'pip',
      'install',
      '--quiet',
      '--disable-pip-version-check',
      requirement,
    ])
  })
}

export async function run(command: string[]): Promise<string> {
  const child = Bun.spawn(command, { stdin: 'ignore', stdout: 'pipe', stderr: 'pipe' })
  const [stdout, stderr] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()])
  if ((await child.exited) !== 0) throw new Error(`${command.join(' ')}\n${stdout}${stderr}`)
  return stdout
}
