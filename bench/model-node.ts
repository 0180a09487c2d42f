import { join } from 'node:path'
import { readSecrets } from '@oriel/dev/secrets'
import type { Stack } from '@oriel/dev/stack'
import { StateDir } from '@oriel/dev/state-dir'
import { writeGraphs } from './graphs.ts'
import type { Target } from './load.ts'

const ROOT = join(import.meta.dir, '..')

/** A node with the graphs to race with. Comes back when the edge offers them. */
export async function startModelNode(stack: Stack, target: Target): Promise<AsyncDisposable> {
  const models = join(stack.stateDir, 'graphs')
  await writeGraphs(models)
  const log = join(stack.stateDir, 'logs', 'model-node.log')
  const node = Bun.spawn([process.execPath, join(ROOT, 'gpu-node/main.ts')], {
    env: {
      ...process.env,
      ORIEL_NATS_URL: stack.natsUrl,
      ORIEL_NATS_USER: 'node',
      ORIEL_NATS_PASSWORD: readSecrets(new StateDir(stack.stateDir)).nats.node,
      ORIEL_NODE_NAME: 'models',
      ORIEL_MODELS_DIR: models,
      ORIEL_EXIT_WITH_PARENT: '1',
    },
    stdin: 'pipe',
    stdout: Bun.file(log),
    stderr: Bun.file(log),
  })
  const headers = { Authorization: `Bearer ${target.token}` }
  const isReady = async () => (await fetch(`${target.url}/v2/models/tiny/ready`, { headers })).ok
  while (!(await isReady())) {
    if (node.exitCode !== null) throw new Error(`the node ended; see ${log}`)
    await Bun.sleep(100)
  }
  return {
    async [Symbol.asyncDispose]() {
      node.kill()
      await node.exited
    },
  }
}
