import { BatchingPredictor } from './batching/batching-predictor.ts'
import { connectBroker } from './broker.ts'
import { fineClock, systemClock } from './clock.ts'
import { configHelp, parseConfig } from './config.ts'
import { bunHosts } from './host/bun-host-process.ts'
import { HostPool } from './host-pool.ts'
import { localModels } from './local-models.ts'
import { LocalRunner } from './local-runner.ts'
import { jsonLogger } from './logger.ts'
import { scanModels } from './model-folder.ts'
import { GpuNode } from './node.ts'
import { isPinned } from './pinned-models.ts'
import { untilStopped } from './process-life.ts'
import { RegistryClient } from './registry/registry-client.ts'
import { WarmUps } from './warm-ups.ts'

// broker ◀─ link ─▶ GpuNode ─▶ JobRunner ─▶ LocalRunner ─▶ batches ─▶ HostPool ─▶ hosts (subprocesses)

if (process.argv.includes('--help')) {
  console.log(configHelp())
  process.exit(0)
}

const logger = jsonLogger((line) => process.stdout.write(`${line}\n`), Date.now)
try {
  const config = parseConfig(process.env)
  const stopped = untilStopped(config.ORIEL_EXIT_WITH_PARENT, logger)

  const folder = await scanModels(config.ORIEL_MODELS_DIR)
  for (const { name, version, problem } of folder.problems)
    logger.warn('a model is damaged', { name, version, problem })
  for (const { path, reason } of folder.ignored) logger.warn('a folder is no model', { path, reason })
  logger.info('models', { whole: folder.models.length, damaged: folder.problems.length })

  const registry = await RegistryClient.open(config, logger)
  let node: GpuNode | undefined
  // One thread a host: hosts share the cores, and a continued generation must add up in the same order.
  const pool = new HostPool({
    hosts: config.ORIEL_HOSTS,
    budgetBytes: config.ORIEL_MEMORY_BYTES,
    isPinned: (model) => isPinned(config.ORIEL_PINNED_MODELS ?? [], model),
    start: bunHosts({ threads: 1 }),
    clock: systemClock,
    ...(registry && { bring: (model) => registry.bring(model) }),
    onChange: ({ host, pid, why }) => {
      if (why === undefined) logger.info('a host is up', { host, pid })
      else logger.warn('a host was lost', { host, why })
      node?.changed()
    },
    onLine: (host, line) => logger.info('a host says', { host, line }),
  })

  const predictor = new BatchingPredictor({ hosts: pool, clock: fineClock })
  const runner = new LocalRunner({ streams: pool, predictor, hosts: pool })

  logger.info('connecting')
  const link = await Promise.race([connectBroker(config, logger), stopped])
  // A node that is told to leave before it found its broker has nothing to drain.
  if (typeof link === 'string') process.exit(0)
  const local = localModels(folder, pool, runner, predictor)
  const models = registry?.models(local, pool) ?? local
  node = await GpuNode.open({ config, link, models, clock: systemClock, logger })
  registry?.run(link)
  const warmUps = new WarmUps({
    node: config.ORIEL_NODE_NAME,
    link,
    models,
    load: (model) => pool.load(model),
    onWarm: () => node?.changed(),
    logger,
  })
  warmUps.run()
  node.run()
  const refused = link.nc.closed().then((cause) => {
    // It reconnects for ever, unless the broker no longer knows who it is.
    throw new Error('The broker closed the connection for good.', { cause })
  })
  const why = await Promise.race([stopped, refused])
  refused.catch(() => {})
  logger.info('stopping', { why })
  warmUps.stop()
  await registry?.stop()
  await node.drain()
  process.exit(0)
} catch (cause) {
  logger.error('the node cannot run', { cause })
  process.exit(1)
}
