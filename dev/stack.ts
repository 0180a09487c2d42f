import { existsSync, renameSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { NatsConnection } from '@nats-io/nats-core'
import { migrate } from '@oriel/db/migrate'
import { connectBroker, natsUrl } from './broker.ts'
import { bundledModels } from './bundled-models.ts'
import { claim } from './claim.ts'
import type { Identity } from './identities.ts'
import { nodeStatus, nodeStatuses } from './node-statuses.ts'
import type { Kind, PartSpec } from './part.ts'
import { Part } from './part.ts'
import { natsPart } from './parts/nats.ts'
import { databaseUrl, postgresPart } from './parts/postgres.ts'
import { nodePart, ROOT, recorderPart } from './parts/programs.ts'
import { workerdPart } from './parts/workerd.ts'
import { wranglerPart } from './parts/wrangler.ts'
import { firstPlan } from './plan.ts'
import { assignPorts, freePort, HOST, isFree } from './ports.ts'
import { processRow } from './process-table.ts'
import { writeRun } from './run-file.ts'
import { readSecrets } from './secrets.ts'
import { StackError } from './stack-error.ts'
import { StateDir } from './state-dir.ts'
import type { PartView } from './status.ts'
import { hostViews } from './status.ts'
import { prepareBroker } from './streams.ts'
import { signToken } from './token.ts'
import { workerSettings } from './worker-settings.ts'

export interface StackOptions {
  /** Holds all that the stack keeps. */
  readonly stateDir: string
  /** Of the edge; 0 takes a free one. */
  readonly port?: number
  readonly nodes?: number
  readonly edge?: 'wrangler' | 'workerd'
  readonly modelsDir?: string
  /** Further settings for the nodes, by the names of gpu-node/config.ts. */
  readonly nodeEnv?: Readonly<Record<string, string>>
  /** Further variables of the Worker, which win over ours. */
  readonly edgeEnv?: Readonly<Record<string, string>>
  /** Bring back parts that die; without it a dead part stays dead until `start`. */
  readonly restart?: boolean
  readonly log?: (line: string) => void
}

export type Stack = Awaited<ReturnType<typeof startStack>>

const READY_MS = 120_000
const LONG_LOG_BYTES = 8 * 1024 * 1024

/**
 * Starts every part of Oriel on this machine and comes back when a request would succeed.
 * @throws StackError with what a person can do about it; nothing is left running then
 */
export async function startStack(options: StackOptions) {
  const { restart = true, log = () => {} } = options
  const dir = new StateDir(options.stateDir)
  const stopping = Promise.withResolvers<never>()
  stopping.promise.catch(() => {})
  const port = await edgePort(options.port ?? 0)
  const held = await claim(dir, log)
  const secrets = readSecrets(dir)
  const ports = await assignPorts(dir)
  const modelsDir = resolve(options.modelsDir ?? join(ROOT, 'models'))
  const settings = { ...workerSettings(ports, secrets), ...options.edgeEnv }
  const parts = new Map<string, Part>()
  const start = processRow(process.pid)?.start ?? ''
  const origin = `http://${HOST}:${port}`
  let url: string | null = null
  let ended = false

  const record = () => {
    if (ended) return
    writeRun(dir, {
      pid: process.pid,
      start,
      url,
      parts: [...parts.values()].map((part) => ({
        name: part.spec.name,
        kind: part.spec.kind,
        mode: part.mode,
        address: part.spec.address,
        ...(part.child ? { leader: { pid: part.child.pid, start: part.child.start } } : {}),
        pid: part.pid ?? null,
      })),
    })
  }
  const add = (spec: PartSpec): Part => {
    const logFile = dir.log(spec.name)
    if (existsSync(logFile) && statSync(logFile).size > LONG_LOG_BYTES) renameSync(logFile, `${logFile}.old`)
    const part = new Part(spec, {
      logFile,
      restart,
      log,
      changed: record,
      failed: (error) => {
        if (restart) stopping.reject(error)
        else log(error.message)
      },
    })
    parts.set(spec.name, part)
    return part
  }

  const nats = (identity: Identity = 'admin') => connectBroker(ports.nats, identity, secrets.nats[identity])
  const withBroker = async <T>(use: (nc: NatsConnection) => Promise<T>): Promise<T> => {
    const nc = await nats()
    try {
      return await use(nc)
    } finally {
      await nc.close()
    }
  }
  const addNode = (): Part => {
    let number = 1
    while (parts.has(`node-${number}`)) number++
    const name = `node-${number}`
    const isServing = async () => {
      const status = await withBroker((nc) => nodeStatus(nc, name))
      return status?.mode === 'serving' && status.pid === parts.get(name)?.child?.pid
    }
    return add(nodePart(ports, secrets, { name, modelsDir, env: options.nodeEnv ?? {} }, isServing))
  }
  const of = (name: string): Part => {
    const part = parts.get(name) ?? [...parts.values()].find(({ spec }) => spec.kind === name)
    if (!part) throw new Error(`the stack has no part ${name}`)
    return part
  }

  /** In the order in which each has its last chance to tell the next one what it did. */
  const stop = async () => {
    if (ended) return
    const ofKind = (kind: Kind) => [...parts.values()].filter(({ spec }) => spec.kind === kind)
    for (const kind of ['edge', 'node', 'recorder', 'nats', 'postgres'] as const) {
      await Promise.all(ofKind(kind).map((part) => part.stop()))
    }
    ended = true
    held.release()
  }

  /** At once, for a second Ctrl-C. */
  const kill = () => {
    for (const part of parts.values()) part.killNow()
    ended = true
    held.release()
  }

  const postgres = add(postgresPart(dir, ports.postgres, secrets.postgres, log))
  const broker = add(natsPart(dir, ports, secrets.nats, log))
  const recorder = add(recorderPart(ports, secrets))
  const edge = add(
    options.edge === 'workerd' ? workerdPart(dir, port, settings) : wranglerPart(dir, port, ports, settings),
  )
  const nodes = Array.from({ length: options.nodes ?? 1 }, addNode)

  const launch = async () => {
    const database = postgres.start().then(() => migrate(databaseUrl(ports.postgres, secrets.postgres)))
    const streams = broker
      .start()
      .then(() => withBroker((nc) => prepareBroker(nc, firstPlan(bundledModels(modelsDir)))))
    await Promise.all([
      database,
      edge.start(),
      Promise.all([database, streams]).then(() => recorder.start()),
      streams.then(() => Promise.all(nodes.map((node) => node.start()))),
    ])
    await untilReady(origin, nodes.length > 0)
    url = origin
    record()
  }
  try {
    const launched = launch()
    launched.catch(() => {})
    await Promise.race([launched, stopping.promise])
  } catch (error) {
    await stop()
    throw error
  }

  return {
    url: origin,
    stateDir: dir.path,
    ports,
    databaseUrl: databaseUrl(ports.postgres, secrets.postgres),
    natsUrl: natsUrl(ports.nats),
    /** Rejects when a part has been given up. What is left runs on until `stop`. */
    failed: stopping.promise,
    /** By its name, or the first of a kind. */
    part: of,
    async parts(): Promise<PartView[]> {
      const own = [...parts.values()].map((part) => ({
        name: part.spec.name,
        kind: part.spec.kind,
        mode: part.mode as string,
        pid: part.pid ?? null,
        address: part.spec.address,
      }))
      return [...own, ...hostViews(await withBroker(nodeStatuses))]
    },
    token: (user: string, lifetimeS?: number) => signToken(secrets.auth, user, lifetimeS),
    /** A connection of one of the broker's identities. */
    nats,
    /** Sends a signal to the process that does the part's work. @returns its pid */
    kill: (name: string, signal: NodeJS.Signals = 'SIGKILL') => of(name).kill(signal),
    /** Asks a part to leave; it stays away until `start`. */
    stopPart: (name: string) => of(name).stop(),
    startPart: (name: string) => of(name).start(),
    async restartPart(name: string) {
      await of(name).stop()
      await of(name).start()
    },
    /** One more node, serving. @returns its name */
    async addNode() {
      const node = addNode()
      await node.start()
      return node.spec.name
    },
    /** Drains a node and forgets it. */
    async removeNode(name: string) {
      await of(name).stop()
      parts.delete(name)
      record()
    },
    /** Waits until the edge would take a request (again). */
    ready: () => untilReady(origin, nodes.length > 0),
    stop,
    killAll: kill,
  }
}

async function edgePort(wanted: number): Promise<number> {
  if (wanted === 0) return await freePort()
  if (await isFree(wanted)) return wanted
  throw new StackError(`Port ${wanted} is taken. Set ORIEL_PORT to another one, or to 0 for any that is free.`)
}

async function untilReady(origin: string, withNodes: boolean): Promise<void> {
  const until = performance.now() + READY_MS
  let said = 'nothing'
  while (performance.now() < until) {
    try {
      const answer = await fetch(`${origin}/readyz`, { signal: AbortSignal.timeout(5_000) })
      if (answer.ok) return
      said = await answer.text()
      // Without a node it never is: alive has to do.
      if (!withNodes) return
    } catch (error) {
      said = error instanceof Error ? error.message : String(error)
    }
    await Bun.sleep(50)
  }
  throw new StackError(`The edge is not ready after ${READY_MS / 1000} s. It says: ${said}`)
}
