// A real node but for its model: `ticker` says at which moment it spoke, as often as it is asked to. What
// is measured is then everything between a model and a client, and no inference.
import { connectBroker } from '@oriel/gpu-node/broker'
import { systemClock } from '@oriel/gpu-node/clock'
import { parseConfig } from '@oriel/gpu-node/config'
import { jsonLogger } from '@oriel/gpu-node/logger'
import type { ModelRunner } from '@oriel/gpu-node/model-runner'
import { GpuNode, type Models } from '@oriel/gpu-node/node'
import { untilStopped } from '@oriel/gpu-node/process-life'
import { Manifest } from '@oriel/protocol/manifest'
import * as v from 'valibot'
import { epochMs } from './epoch.ts'

const manifest = v.parse(Manifest, {
  name: 'ticker',
  version: '1',
  engine: 'tensor',
  files: [{ path: 'model.onnx', sha256: '0'.repeat(64), bytes: 0 }],
  parameters: {
    events: { type: 'integer', default: 10, minimum: 0 },
    perSecond: { type: 'number', default: 0, minimum: 0, description: '0: as fast as they are taken' },
  },
  limits: { timeoutMs: 120_000, maxBatch: 0, concurrency: 1_000 },
})

/** Emits objects, which the node never joins: each becomes one event. */
const runner: ModelRunner = {
  async run({ parameters }, emit, signal) {
    const { events, perSecond } = parameters
    const intervalMs = Number(perSecond) > 0 ? 1_000 / Number(perSecond) : 0
    // A moment of its own within the interval, as the limit's publishers have: models that run apart keep no common beat.
    const startedAt = performance.now() + Math.random() * intervalMs
    for (let sent = 0; sent < Number(events); sent += 1) {
      const waitMs = startedAt + sent * intervalMs - performance.now()
      if (waitMs > 0) await Bun.sleep(waitMs)
      signal.throwIfAborted()
      emit({ response: { at: epochMs() } })
    }
  },
}

const models: Models = {
  runner,
  predictor: { predict: async (_, inputs) => inputs },
  manifests: [manifest],
  find: (name, version) =>
    name === manifest.name && version === manifest.version
      ? { manifest, dir: '/nowhere' }
      : { kind: 'model-not-found', detail: 'This node has only the ticker.' },
  status: () => ({ hosts: [], models: [{ name: manifest.name, version: manifest.version, state: 'loaded' }] }),
  close: async () => {},
}

const config = parseConfig(process.env)
const logger = jsonLogger((line) => process.stderr.write(`${line}\n`), Date.now)
const stopped = untilStopped(config.ORIEL_EXIT_WITH_PARENT, logger)
const link = await connectBroker(config, logger)
const node = await GpuNode.open({ config, link, models, clock: systemClock, logger })
node.run()
await stopped
await node.drain()
process.exit(0)
