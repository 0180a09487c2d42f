import { join } from 'node:path'
import { readSecrets } from '@oriel/dev/secrets'
import type { Stack } from '@oriel/dev/stack'
import { StateDir } from '@oriel/dev/state-dir'
import type { Target } from './load.ts'

/** The node whose model is a ticker, as a process of its own. Comes back when the edge offers the model. */
export async function startTicker(stack: Stack, target: Target): Promise<AsyncDisposable> {
  const secrets = readSecrets(new StateDir(stack.stateDir))
  const node = Bun.spawn([process.execPath, join(import.meta.dir, 'ticker-node.ts')], {
    env: {
      ...process.env,
      ORIEL_NATS_URL: stack.natsUrl,
      ORIEL_NATS_USER: 'node',
      ORIEL_NATS_PASSWORD: secrets.nats.node,
      ORIEL_NODE_NAME: 'ticker',
      ORIEL_SLOTS: '1000',
      ORIEL_COALESCE_MS: '0',
      ORIEL_EXIT_WITH_PARENT: '1',
    },
    stdin: 'pipe',
    stdout: 'ignore',
    stderr: Bun.file(join(stack.stateDir, 'logs', 'ticker.log')),
  })
  const headers = { Authorization: `Bearer ${target.token}` }
  const offered = async () => (await (await fetch(`${target.url}/models`, { headers })).text()).includes('"ticker"')
  while (!(await offered())) {
    if (node.exitCode !== null) throw new Error(`the ticker ended; see ${join(stack.stateDir, 'logs', 'ticker.log')}`)
    await Bun.sleep(100)
  }
  return {
    async [Symbol.asyncDispose]() {
      node.kill()
      await node.exited
    },
  }
}
