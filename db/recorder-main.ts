import type { NatsConnection } from '@nats-io/nats-core'
import { RECORDER_INBOX } from '@oriel/protocol/permissions'
import { AliasBucket } from './alias-bucket.ts'
import { AliasProjection } from './alias-projection.ts'
import { AliasTable } from './alias-table.ts'
import { askCheck } from './ask-check.ts'
import { askWarmUp } from './ask-warm-up.ts'
import { RecorderConfig, readConfig } from './config.ts'
import { connectNats } from './connect-nats.ts'
import { logConnection } from './connection-log.ts'
import { Database } from './database.ts'
import { Liveness } from './liveness.ts'
import { logLine } from './log.ts'
import { ModelsBucket } from './models-bucket.ts'
import { PartitionTables } from './partition-tables.ts'
import { PostgresRecord } from './postgres-record.ts'
import { readNodes } from './read-nodes.ts'
import { Recorder } from './recorder.ts'
import { recordHistory } from './recorder-nats.ts'
import { RegisteredVersions } from './registered.ts'
import { Registrar } from './registrar.ts'
import { Registry } from './registry.ts'
import { watchRegistry } from './registry-nats.ts'
import { repeat } from './repeat.ts'
import { markStale } from './stale.ts'
import { Switches } from './switches.ts'
import { wait } from './wait.ts'

const HOUR_MS = 60 * 60_000
/** Between two writes of what models and nodes said of themselves; they beat every 3 s. */
const FLUSH_MS = 3_000
/** A half-open connection to the broker is left after three of these; its facts wait meanwhile. */
const PING_MS = 2_500
/** Between two looks at what was registered: somebody waits for it. */
const REGISTRAR_MS = 1_000
/** After a signal: for the batch that is being written, and for what has been received. */
const GRACE_MS = 5_000
/** After the grace: for handing back what could not be written. */
const FAREWELL_MS = 1_000

const config = readConfig('bun db/recorder-main.ts', RecorderConfig)
const stop = new AbortController()
const giveUp = new AbortController()

const leave = (why: string) => {
  if (stop.signal.aborted) return
  logLine('info', 'stopping', { why })
  stop.abort()
  setTimeout(() => giveUp.abort(), GRACE_MS)
}
process.on('SIGTERM', () => leave('SIGTERM'))
process.on('SIGINT', () => leave('SIGINT'))
if (config.ORIEL_EXIT_WITH_PARENT === '1') {
  // Closed when the parent dies, however it dies.
  process.stdin.resume()
  process.stdin.once('end', () => leave('the parent is gone'))
}

logLine('info', 'connecting', { pid: process.pid })
const options = {
  servers: config.ORIEL_NATS_URL.split(','),
  user: config.ORIEL_NATS_USER,
  pass: config.ORIEL_NATS_PASSWORD,
  name: 'recorder',
  inboxPrefix: RECORDER_INBOX,
  timeout: 5_000,
  maxReconnectAttempts: -1,
  reconnectTimeWait: 250,
  pingInterval: PING_MS,
  maxPingOut: 2,
  ignoreAuthErrorAbort: true,
}
const nc = await connectNats(options, logLine, stop.signal)
if (!nc) process.exit(0)

const database = new Database(config.ORIEL_DATABASE_URL)
const tables = new PartitionTables(database)
const registry = new Registry(database)
const liveness = new Liveness()
const store = new PostgresRecord(database, tables)
const recorder = new Recorder({ store, log: logLine, now: Date.now, random: Math.random, wait })

logLine('info', 'recording')
void logConnection(nc, logLine)
await Promise.race([record(nc), farewellIsOver()])
logLine('info', 'stopped')
process.exit(0)

async function record(nc: NatsConnection): Promise<void> {
  const registrar = new Registrar({
    versions: new RegisteredVersions(database),
    bucket: () => ModelsBucket.open(nc),
    check: (manifest) => askCheck(nc, manifest, stop.signal),
    now: Date.now,
    log: logLine,
  })
  const aliasTable = new AliasTable(database)
  const aliases = new AliasProjection({
    table: aliasTable,
    bucket: () => AliasBucket.open(nc),
    now: Date.now,
    log: logLine,
  })
  const switches = new Switches({
    table: aliasTable,
    nodes: (model) => readNodes(nc, model),
    warm: (node, order, over) => askWarmUp(nc, node, order, over),
    onFinished: () => aliases.look(),
    now: Date.now,
    wait,
    log: logLine,
  })
  stop.signal.addEventListener('abort', () => switches.stop(), { once: true })
  // What an alias means is told before the versions are: nobody is to take the latest for what it means.
  const offer = async () => {
    await aliases.look()
    await registrar.look()
    await switches.look()
  }
  void forgetOnReconnect(nc, () => {
    aliases.forget()
    registrar.forget()
  })
  await Promise.all([
    recordHistory(nc, recorder, logLine, stop.signal, giveUp.signal),
    watchRegistry(nc, registry, liveness, logLine, stop.signal),
    repeat('the partitions ahead', HOUR_MS, () => tables.ensureAhead(Date.now()), logLine, stop.signal),
    repeat('models and nodes', FLUSH_MS, flush, logLine, stop.signal),
    repeat('registered versions', REGISTRAR_MS, offer, logLine, stop.signal),
  ])
  await nc.drain().catch((error) => logLine('warn', 'the broker was away at the end', { error: String(error) }))
  await database.end()
}

async function forgetOnReconnect(nc: NatsConnection, forget: () => void): Promise<void> {
  for await (const { type } of nc.status()) if (type === 'reconnect') forget()
}

async function flush(): Promise<void> {
  await registry.flush()
  const alive = liveness.alive(Date.now())
  if (alive) await markStale(database, alive, logLine)
}

/** What waits for a broker or a database that is away is not waited for. */
async function farewellIsOver(): Promise<void> {
  await new Promise((resolve) => giveUp.signal.addEventListener('abort', resolve))
  await Bun.sleep(FAREWELL_MS)
}
