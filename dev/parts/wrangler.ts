import { join } from 'node:path'
import type { Child } from '../child.ts'
import type { PartSpec } from '../part.ts'
import type { Ports } from '../ports.ts'
import { HOST } from '../ports.ts'
import { commandLine, descendants, processRow } from '../process-table.ts'
import type { StateDir } from '../state-dir.ts'
import { NODE, WRANGLER, wranglerEnv } from '../tool-path.ts'
import type { WorkerSettings } from '../worker-settings.ts'
import { writePrivate } from '../write-file.ts'
import { ROOT } from './programs.ts'

/** wrangler starts a Worker that died again by itself; when it has not by now, it is started anew as a whole. */
const RECOVERY_MS = 3_000

/** The edge under `wrangler dev`: two workerd processes, a proxy that listens and the one that runs the Worker. */
export function wranglerPart(dir: StateDir, port: number, ports: Ports, settings: WorkerSettings): PartSpec {
  const envFile = join(dir.edge, 'worker.env')
  const family = new WorkerdFamily(port)
  return {
    name: 'edge',
    kind: 'edge',
    address: `${HOST}:${port}`,
    readyMs: 60_000,
    stop: { signal: 'SIGTERM', graceMs: 5_000 },
    command() {
      const lines = Object.entries(settings).map(([name, value]) => `${name}=${JSON.stringify(value)}\n`)
      writePrivate(envFile, lines.join(''))
      const args = [
        `--config=${join(ROOT, 'wrangler.toml')}`,
        `--env-file=${envFile}`,
        `--persist-to=${join(dir.edge, 'wrangler')}`,
        `--ip=${HOST}`,
        `--port=${port}`,
        `--inspector-port=${ports.inspector}`,
        '--show-interactive-dev-session=false',
        '--log-level=warn',
      ]
      return { file: NODE, args: [WRANGLER, 'dev', ...args], cwd: ROOT, env: wranglerEnv(dir.edge) }
    },
    isReady: () => answers(port),
    worker: (child) => family.look(child).worker,
    isWell: (child) => family.look(child).well,
  }
}

/** Finds wrangler's two workerd processes, and looks again only when one of them is gone. */
class WorkerdFamily {
  readonly #port: number
  #of: Child | undefined
  #proxy: number | undefined
  #worker: number | undefined
  #missingSince: number | undefined

  constructor(port: number) {
    this.#port = port
  }

  look(child: Child): { worker: number | undefined; well: boolean } {
    if (this.#of !== child) {
      this.#of = child
      this.#proxy = undefined
      this.#worker = undefined
      this.#missingSince = undefined
    }
    // Without its proxy wrangler says that it is ready, but answers nobody.
    if (this.#proxy !== undefined && !processRow(this.#proxy)) return { worker: this.#worker, well: false }
    if (this.#worker === undefined || this.#proxy === undefined || !processRow(this.#worker)) this.#search(child)
    if (this.#worker !== undefined) this.#missingSince = undefined
    else this.#missingSince ??= performance.now()
    const well = this.#missingSince === undefined || performance.now() - this.#missingSince < RECOVERY_MS
    return { worker: this.#worker, well }
  }

  #search(child: Child): void {
    this.#worker = undefined
    for (const { pid } of descendants(child.pid)) {
      const words = commandLine(pid)
      if (!/workerd\S* serve /.test(words)) continue
      if (words.includes(`entry=${HOST}:${this.#port} `)) this.#proxy = pid
      else this.#worker = pid
    }
  }
}

const ANSWER_MS = 2_000

export async function answers(port: number): Promise<boolean> {
  const response = await fetch(`http://${HOST}:${port}/healthz`, { signal: AbortSignal.timeout(ANSWER_MS) })
  return response.ok
}
