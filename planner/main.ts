import { jetstream } from '@nats-io/jetstream'
import { Kvm } from '@nats-io/kv'
import { connect } from '@nats-io/transport-node'
import { BACKLOG_MS } from '@oriel/protocol/backlog'
import { KnownVersion } from '@oriel/protocol/known-version'
import { NodeStatus } from '@oriel/protocol/node-status'
import { PLANNER_INBOX } from '@oriel/protocol/permissions'
import { LEASE_TTL_MS } from '@oriel/protocol/streams'
import { ALL_VOLUMES, DISCONNECTED, LEASES, MODELS, NODES, PLACEMENT, VOLUMES } from '@oriel/protocol/subjects'
import { Volume } from '@oriel/protocol/volume'
import * as v from 'valibot'
import { Autoscaler } from './autoscaler.ts'
import { Cluster } from './cluster.ts'
import { CommandExecutor } from './command-executor.ts'
import { configHelp, parseConfig } from './config.ts'
import { serveHttp } from './http.ts'
import { KvLeaseStore } from './kv-lease-store.ts'
import { Lease } from './lease.ts'
import { logLine } from './log.ts'
import { PlanStore } from './plan-store.ts'
import { PlannerProgram } from './planner-program.ts'
import { watchBucket } from './watch-bucket.ts'

// broker ─▶ Cluster (models, nodes), volumes ─▶ Planner, while the Lease is ours ─▶ the plan, how much waits

if (process.argv.includes('--help')) {
  console.log(configHelp())
  process.exit(0)
}

/** Several chances to renew before the lease is over. */
const KEEP_MS = LEASE_TTL_MS / 4
const Disconnected = v.object({ client: v.object({ name: v.optional(v.string(), '') }) })

try {
  const config = parseConfig(process.env)
  const stopping = new AbortController()
  const stop = (why: string) => {
    if (stopping.signal.aborted) return
    logLine('info', 'stopping', { why })
    stopping.abort()
  }
  process.on('SIGTERM', () => stop('SIGTERM'))
  process.on('SIGINT', () => stop('SIGINT'))
  if (config.ORIEL_EXIT_WITH_PARENT === '1') {
    process.stdin.resume()
    process.stdin.once('end', () => stop('the parent is gone'))
  }

  logLine('info', 'connecting', { pid: process.pid })
  const nc = await connect({
    servers: config.ORIEL_NATS_URL.split(','),
    user: config.ORIEL_NATS_USER,
    ...(config.ORIEL_NATS_PASSWORD === undefined ? {} : { pass: config.ORIEL_NATS_PASSWORD }),
    name: config.ORIEL_PLANNER_NAME,
    inboxPrefix: PLANNER_INBOX,
    waitOnFirstConnect: true,
    maxReconnectAttempts: -1,
    reconnectTimeWait: 250,
    pingInterval: 2_500,
    maxPingOut: 2,
    ignoreAuthErrorAbort: true,
    noAsyncTraces: true,
  })

  const cluster = new Cluster()
  const kvm = new Kvm(jetstream(nc, { timeout: 2_000 }))
  const open = (bucket: string) => kvm.open(bucket, { allow_direct: true })
  const lease = new Lease({
    store: new KvLeaseStore(await open(LEASES)),
    holder: config.ORIEL_PLANNER_NAME,
    ttlMs: LEASE_TTL_MS,
    now: () => performance.now(),
  })
  const store = new PlanStore(await open(PLACEMENT), await open(VOLUMES))
  const { ORIEL_AUTOSCALE: range, ORIEL_AUTOSCALE_COMMAND: command } = config
  const settings = range && {
    ...range,
    maxWaitMs: config.ORIEL_SCALE_WAIT_MS,
    upAfterMs: config.ORIEL_SCALE_UP_MS,
    downAfterMs: config.ORIEL_SCALE_DOWN_MS,
  }
  const autoscaler =
    settings && command !== undefined ? new Autoscaler(settings, new CommandExecutor(command), logLine) : undefined
  const program = new PlannerProgram({
    nc,
    lease,
    store,
    cluster,
    everyMs: config.ORIEL_PLAN_EVERY_MS,
    halfLifeMs: config.ORIEL_VOLUME_HALF_LIFE_MS,
    autoscaler,
    log: logLine,
  })

  const { signal } = stopping
  const watched = Promise.all([
    watchBucket({
      nc,
      bucket: MODELS,
      schema: KnownVersion,
      put: (key, known) => cluster.putVersion(key, known),
      log: logLine,
      signal,
    }),
    watchBucket({
      nc,
      bucket: NODES,
      schema: NodeStatus,
      put: (name, status, heardAt) => cluster.putNode(name, status, heardAt),
      log: logLine,
      signal,
    }),
  ])
  nc.subscribe(ALL_VOLUMES, {
    callback: (error, message) => {
      const told = error ? undefined : v.safeParse(v.pipe(v.string(), v.parseJson(), Volume), message.string())
      if (told?.success) program.asked(told.output.counts, Date.now())
    },
  })
  nc.subscribe(DISCONNECTED, {
    callback: (error, message) => {
      const told = error ? undefined : v.safeParse(v.pipe(v.string(), v.parseJson(), Disconnected), message.string())
      if (told?.success) program.disconnected(told.output.client.name, Date.now())
    },
  })
  const server = serveHttp(config, program)

  const aborted = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()))
  await Promise.race([watched, aborted])
  const repeat = async (everyMs: number, work: () => Promise<void>) => {
    while (!signal.aborted) {
      await work()
      await Promise.race([Bun.sleep(everyMs), aborted])
    }
  }
  await Promise.all([repeat(KEEP_MS, () => program.keep()), repeat(BACKLOG_MS, () => program.tick(Date.now()))])
  await Promise.race([program.end(Date.now()), Bun.sleep(1_000)])
  await server?.stop(true)
  await Promise.race([nc.drain().catch(() => {}), Bun.sleep(1_000)])
  process.exit(0)
} catch (error) {
  logLine('error', 'the planner cannot run', { error: String(error) })
  process.exit(1)
}
