import { join } from 'node:path'
import { type PythonPackages, pythonEnvironment } from '@oriel/dev/python'
import type { ServerUnderTest } from './contract.ts'

/** A client from PyPI and the program that uses it, unmodified, against a server. */
export interface PythonClient extends PythonPackages {
  readonly script: string
}

const clients = join(import.meta.dir, 'clients')

export const TRITON: PythonClient = {
  name: 'tritonclient',
  requirements: ['tritonclient[http]==2.73.0'],
  minors: [10, 99],
  script: join(clients, 'triton_client.py'),
}

export const KSERVE: PythonClient = {
  name: 'kserve',
  requirements: ['kserve==0.21.0'],
  minors: [10, 13],
  script: join(clients, 'kserve_client.py'),
}

/** Runs the client's program and throws what it wrote, unless all was well. The first time it installs the client. */
export async function runPythonClient(client: PythonClient, { url, headers }: ServerUnderTest, ...more: string[]) {
  const python = join(await pythonEnvironment(client), 'bin', 'python')
  const answer = await run([python, client.script, url, JSON.stringify(headers), ...more])
  if (!answer.endsWith('ok\n')) throw new Error(answer)
}

async function run(command: string[]): Promise<string> {
  const child = Bun.spawn(command, { stdin: 'ignore', stdout: 'pipe', stderr: 'pipe' })
  const [stdout, stderr] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()])
  if ((await child.exited) !== 0) throw new Error(`${command.join(' ')}\n${stdout}${stderr}`)
  return stdout
}
