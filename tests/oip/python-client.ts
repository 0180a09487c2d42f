import { join } from 'node:path'
import { pythonEnvironment, pythonMinor, run } from '../support/python.ts'
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

/** Runs the client's program and throws what it wrote, unless all was well. The first time it installs the client. */
export async function runPythonClient(client: PythonClient, { url, headers }: ServerUnderTest, ...more: string[]) {
  const python = join(await pythonEnvironment(client), 'bin', 'python')
  const answer = await run([python, client.script, url, JSON.stringify(headers), ...more])
  if (!answer.endsWith('ok\n')) throw new Error(answer)
}
