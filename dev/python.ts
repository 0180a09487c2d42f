import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { runTool } from './run-tool.ts'
import { makeCached } from './tool-cache.ts'

export interface PythonPackages {
  readonly name: string
  /** As pip takes them, with their versions. */
  readonly requirements: readonly string[]
  /** The lowest and the highest Python, 3.x, that they can be installed for; absent: any. */
  readonly minors?: readonly [lowest: number, highest: number]
}

/** Of Python 3; undefined where there is none that can make an environment. */
export function pythonMinor(): number | undefined {
  const path = Bun.which('python3')
  if (!path) return undefined
  const { stdout, exitCode } = Bun.spawnSync([path, '-c', 'import sys, venv, ensurepip; print(sys.version_info[1])'])
  return exitCode === 0 ? Number(stdout.toString()) : undefined
}

/** Why the packages cannot be had here, or undefined: they can. */
export function whyNoPython({ name, minors: [lowest, highest] = [0, 99] }: PythonPackages): string | undefined {
  const minor = pythonMinor()
  if (minor === undefined) return `${name} needs Python 3, and there is no python3 on PATH`
  if (minor < lowest || minor > highest)
    return `${name} needs Python 3.${lowest} to 3.${highest}, and this is 3.${minor}`
  return undefined
}

/**
 * A folder with the packages, made the first time and kept; other packages or another Python are another environment.
 * It was moved after it was made: what it has in `bin` besides `python` does not run, and is asked for by `python -m`.
 * @throws Error what pip said
 */
export function pythonEnvironment(
  { name, requirements }: PythonPackages,
  log: (line: string) => void = console.log,
): Promise<string> {
  const mark = createHash('sha256')
    .update(`${requirements.join(' ')} ${pythonMinor()}`)
    .digest('hex')
    .slice(0, 12)
  return makeCached(`python-${name}-${mark}`, log, async (path) => {
    log(`installing ${requirements.join(', ')} from PyPI, once`)
    await run(['python3', '-m', 'venv', path])
    const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check']
    await run([join(path, 'bin', 'python'), ...pip, ...requirements])
  })
}

async function run(command: readonly string[]): Promise<void> {
  const { code, said } = await runTool(command)
  if (code !== 0) throw new Error(`${command.join(' ')}\n${said}`)
}
