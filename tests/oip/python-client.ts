import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { makeCached } from '@oriel/dev/tool-cache'
import type { ServerUnderTest } from './contract.ts'

/** A client from PyPI and the program that uses it, unmodified, against a server. */
export interface PythonClient {
  readonly name: string
  readonly requirement: string
  /** The lowest and the highest Python, 3.x, that it can be installed for. */
  readonly minors: readonly [lowest: number, highest: number]
  readonly script: string
}

const clients = join(import.meta.dir, 'clients')

export const TRITON: PythonClient = {
  name: 'tritonclient',
  requirement: 'tritonclient[http]==2.73.0',
  minors: [10, 99],
  script: join(clients, 'triton_client.py'),
}

export const KSERVE: PythonClient = {
  name: 'kserve',
  requirement: 'kserve==0.21.0',
  minors: [10, 13],
  script: join(clients, 'kserve_client.py'),
}

/** Why the client cannot run here, or undefined: it can. */
export function whyNot({ name, minors: [lowest, highest] }: PythonClient): string | undefined {
  const minor = pythonMinor()
  if (minor === undefined) return `${name} needs Python 3, and there is no python3 on PATH`
  if (minor < lowest || minor > highest)
    return `${name} needs Python 3.${lowest} to 3.${highest}, and this is 3.${minor}`
  return undefined
}

function pythonMinor(): number | undefined {
  const path = Bun.which('python3')
  if (!path) return undefined
  const { stdout, exitCode } = Bun.spawnSync([path, '-c', 'import sys, venv, ensurepip; print(sys.version_info[1])'])
  return exitCode === 0 ? Number(stdout.toString()) : undefined
}

/** Runs the client's program and throws what it wrote, unless all was well. The first time it installs the client. */
export async function runPythonClient(client: PythonClient, { url, headers }: ServerUnderTest, ...more: string[]) {
  const python = join(await environmentOf(client), 'bin', 'python')
  const answer = await run([python, client.script, url, JSON.stringify(headers), ...more])
  if (!answer.endsWith('ok\n')) throw new Error(answer)
}

/** Kept where the other tools are; another requirement or Python is another environment. */
function environmentOf({ name, requirement }: PythonClient): Promise<string> {
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

async function run(command: string[]): Promise<string> {
  const child = Bun.spawn(command, { stdin: 'ignore', stdout: 'pipe', stderr: 'pipe' })
  const [stdout, stderr] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()])
  if ((await child.exited) !== 0) throw new Error(`${command.join(' ')}\n${stdout}${stderr}`)
  return stdout
}
