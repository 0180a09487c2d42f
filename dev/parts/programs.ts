import { join, resolve } from 'node:path'
import { natsUrl } from '../broker.ts'
import type { PartSpec } from '../part.ts'
import type { Ports } from '../ports.ts'
import type { Secrets } from '../secrets.ts'
import { databaseUrl } from './postgres.ts'

// The parts that are Oriel's own programs in Bun.

export const ROOT = resolve(import.meta.dir, '../..')

const fromEnv = () => {
  // A setting of ours in the caller's shell must not reach a part by accident.
  const foreign = Object.entries(process.env).filter(([name]) => !name.startsWith('ORIEL_'))
  return { ...Object.fromEntries(foreign), ORIEL_EXIT_WITH_PARENT: '1' }
}

export function recorderPart(ports: Ports, secrets: Secrets): PartSpec {
  return {
    name: 'recorder',
    kind: 'recorder',
    address: null,
    readyMs: 30_000,
    stop: { signal: 'SIGTERM', graceMs: 10_000 },
    command: () => ({
      file: process.execPath,
      args: [join(ROOT, 'db/recorder-main.ts')],
      cwd: ROOT,
      stdin: 'pipe',
      env: {
        ...fromEnv(),
        ORIEL_NATS_URL: natsUrl(ports.nats),
        ORIEL_NATS_USER: 'recorder',
        ORIEL_NATS_PASSWORD: secrets.nats.recorder,
        ORIEL_DATABASE_URL: databaseUrl(ports.postgres, secrets.postgres),
      },
    }),
    // It listens nowhere: alive is all that can be seen from here. What it does shows in the database.
    isReady: (child) => child.exit === undefined,
  }
}

export function plannerPart(
  ports: Ports,
  secrets: Secrets,
  name: string,
  env: Readonly<Record<string, string>>,
): PartSpec {
  return {
    name,
    kind: 'planner',
    address: null,
    readyMs: 30_000,
    stop: { signal: 'SIGTERM', graceMs: 5_000 },
    command: () => ({
      file: process.execPath,
      args: [join(ROOT, 'planner/main.ts')],
      cwd: ROOT,
      stdin: 'pipe',
      env: {
        ...fromEnv(),
        ORIEL_NATS_URL: natsUrl(ports.nats),
        ORIEL_NATS_USER: 'planner',
        ORIEL_NATS_PASSWORD: secrets.nats.planner,
        ORIEL_PLANNER_NAME: name,
        ...env,
      },
    }),
    // It may only stand by: alive is all that it has to be.
    isReady: (child) => child.exit === undefined,
  }
}

/**
 * Whoever stops a stack waits for it, so what still runs is handed back soon: nothing is lost by that, another node
 * or the next start goes on with it. In production a node gives it longer.
 */
const DRAIN_MS = 1_000
/** After the drain: to hand back, to end its hosts, to say goodbye to a broker that may be stuck. */
const LEAVE_MS = 8_000

export interface NodeOptions {
  readonly name: string
  readonly modelsDir: string
  /** Its own, for files of registered models, which it fetches from the edge. */
  readonly cacheDir: string
  readonly edgeURL: string
  /** Further settings of the node's own (`ORIEL_SLOTS` …). */
  readonly env: Readonly<Record<string, string>>
}

export function nodePart(
  ports: Ports,
  secrets: Secrets,
  { name, modelsDir, cacheDir, edgeURL, env }: NodeOptions,
  isServing: (name: string) => Promise<boolean>,
): PartSpec {
  return {
    name,
    kind: 'node',
    address: null,
    readyMs: 60_000,
    stop: { signal: 'SIGTERM', graceMs: Number(env.ORIEL_DRAIN_MS ?? DRAIN_MS) + LEAVE_MS },
    command: () => ({
      file: process.execPath,
      args: [join(ROOT, 'gpu-node/main.ts')],
      cwd: ROOT,
      stdin: 'pipe',
      env: {
        ...fromEnv(),
        ORIEL_NATS_URL: natsUrl(ports.nats),
        ORIEL_NATS_USER: 'node',
        ORIEL_NATS_PASSWORD: secrets.nats.node,
        ORIEL_NODE_NAME: name,
        ORIEL_MODELS_DIR: modelsDir,
        ORIEL_CACHE_DIR: cacheDir,
        ORIEL_ARTIFACTS_URL: edgeURL,
        ORIEL_ARTIFACTS_TOKEN: secrets.artifacts,
        ORIEL_DRAIN_MS: String(DRAIN_MS),
        ...env,
      },
    }),
    isReady: () => isServing(name),
  }
}
