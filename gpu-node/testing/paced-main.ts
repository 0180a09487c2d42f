// A whole node without model files and hosts, for tests of what lies between the broker and the models.
import { connectBroker } from '../broker.ts'
import { systemClock } from '../clock.ts'
import { parseConfig } from '../config.ts'
import { jsonLogger } from '../logger.ts'
import { GpuNode } from '../node.ts'
import { untilStopped } from '../process-life.ts'
import { pacedModels } from './paced-models.ts'

const config = parseConfig(process.env)
const logger = jsonLogger((line) => process.stdout.write(`${line}\n`), Date.now)
const stopped = untilStopped(config.ORIEL_EXIT_WITH_PARENT, logger)
const link = await connectBroker(config, logger)
const node = await GpuNode.open({ config, link, models: pacedModels(), clock: systemClock, logger })
node.run()
logger.info('stopping', { why: await stopped })
await node.drain()
process.exit(0)
