import { mkdirSync } from 'node:fs'
import { join, relative } from 'node:path'
import * as v from 'valibot'
import type { PartSpec } from '../part.ts'
import { HOST } from '../ports.ts'
import { runTool } from '../run-tool.ts'
import { StackError } from '../stack-error.ts'
import type { StateDir } from '../state-dir.ts'
import { NODE, WORKERD, WRANGLER, wranglerEnv } from '../tool-path.ts'
import type { WorkerSettings } from '../worker-settings.ts'
import { WranglerConfig, workerdConfig } from '../workerd-config.ts'
import { writePrivate } from '../write-file.ts'
import { ROOT } from './programs.ts'
import { answers } from './wrangler.ts'

/** Every actor on disk is a file or two: thousands of fresh ones need more than the usual limit. */
const OPEN_FILES = 1_048_576

/** The edge as in a self-hosted production: the bundled Worker on plain `workerd serve`. */
export function workerdPart(dir: StateDir, port: number, settings: WorkerSettings): PartSpec {
  const bundleDir = join(dir.edge, 'bundle')
  const storageDir = join(dir.edge, 'workerd')
  const artifactsDir = join(dir.edge, 'artifacts')
  const configFile = join(dir.edge, 'workerd.capnp')
  let bundled: Promise<void> | undefined
  return {
    name: 'edge',
    kind: 'edge',
    address: `${HOST}:${port}`,
    readyMs: 60_000,
    stop: { signal: 'SIGTERM', graceMs: 5_000 },
    async command() {
      // Once a run: a restart after a death is to be quick, and is to bring back the same program.
      bundled ??= bundle(dir, bundleDir)
      await bundled
      for (const folder of [storageDir, artifactsDir]) mkdirSync(folder, { recursive: true })
      const config = v.parse(WranglerConfig, Bun.TOML.parse(await Bun.file(join(ROOT, 'wrangler.toml')).text()))
      const text = workerdConfig(config, {
        port,
        bundle: relative(dir.edge, join(bundleDir, 'worker.js')),
        storageDir,
        artifactsDir,
        variables: Object.keys(settings),
      })
      writePrivate(configFile, text)
      const raise = `ulimit -n ${OPEN_FILES} 2>/dev/null || ulimit -n "$(ulimit -Hn)"; exec "$0" "$@"`
      return {
        file: '/bin/sh',
        args: ['-c', raise, WORKERD, 'serve', configFile],
        cwd: ROOT,
        env: { ...process.env, ...settings },
      }
    },
    isReady: () => answers(port),
  }
}

async function bundle(dir: StateDir, bundleDir: string): Promise<void> {
  const args = ['deploy', '--dry-run', `--config=${join(ROOT, 'wrangler.toml')}`, `--outdir=${bundleDir}`]
  const { code, said } = await runTool([NODE, WRANGLER, ...args], { cwd: ROOT, env: wranglerEnv(dir.edge) })
  if (code !== 0) throw new StackError(`wrangler could not bundle the edge:\n${said}`)
}
