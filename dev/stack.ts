import { join, resolve } from 'node:path'
import type { NatsConnection } from '@nats-io/nats-core'
import { migrate } from '@oriel/db/migrate'
import { connectBroker, natsUrl } from './broker.ts'
import { bundledModels } from './bundled-models.ts'
import type { Child } from './child.ts'
import { claim } from './claim.ts'
import { edgePort, untilReady } from './edge-door.ts'
import type { Identity } from './identities.ts'
import { nodeStatus, nodeStatuses } from './node-statuses.ts'
import type { Kind, Part } from './part.ts'
import { PartSet } from './part-set.ts'
import { natsPart } from './parts/nats.ts'
import { databaseUrl, postgresPart } from './parts/postgres.ts'
import { nodePart, plannerPart, ROOT, recorderPart } from './parts/programs.ts'
import { workerdPart } from './parts/workerd.ts'
import { wranglerPart } from './parts/wrangler.ts'
import { firstPlan } from './plan.ts'
import type { Ports } from './ports.ts'
import { assignPorts, HOST } from './ports.ts'
import { processRow } from './process-table.ts'
import { writeRun } from './run-file.ts'
import { endTools } from './run-tool.ts'
import type { Secrets } from './secrets.ts'
import { readSecrets } from './secrets.ts'
import { StackError } from './stack-error.ts'
import { StateDir } from './state-dir.ts'
import type { PartView } from './status.ts'
import { hostViews } from './status.ts'
import { prepareBroker } from './streams.ts'
import { signToken, type TokenOptions } from './token.ts'
import { unavailableModels } from './unavailable-models.ts'
import { startWarden } from './warden.ts'
import { workerSettings } from './worker-settings.ts'

export interface StackOptions {
  /** Holds all that the stack keeps. */
  readonly stateDir: string
  /** Of the edge; 0, the default, takes a free one. */
  readonly port?: number
  readonly nodes?: number
  /** Partitions of the models, unless the state folder has more (8). */
  readonly partitions?: number
  /** How many planners: one of them plans, the others stand by (1). */
  readonly planners?: number
  /** Further settings for the planners, by the names of planner/config.ts. */
  readonly plannerEnv?: Readonly<Record<string, string>>
  readonly edge?: 'wrangler' | 'workerd'
  readonly modelsDir?: string
  /** Further settings for the nodes, by the names of gpu-node/config.ts. */
  readonly nodeEnv?: Readonly<Record<string, string>>
  /** Variables of the Worker, by the names of edge/env.ts, which win over ours. */
  readonly edgeEnv?: Readonly<Record<string, string>>
  /** The ports through which a part reaches the others, where they are not the others' own: for proxies in between. */
  readonly portsFor?: (part: string, ports: Ports) => Ports
  /** Brings back parts that die. Without it a dead part stays dead until `startPart`, and the rest runs on. */
  readonly restart?: boolean
  readonly log?: (line: string) => void
}

/** In the order in which each can still tell the next one what it did. */
const LEAVING: readonly Kind[] = ['edge', 'node', 'planner', 'recorder', 'nats', 'postgres']

/**
 * Starts every part of Oriel on this machine and comes back when a request would succeed.
 * @throws StackError with what a person can do about it; nothing is left running then
 */
export async function startStack(options: StackOptions): Promise<Stack> {
  const stack = await Stack.open(options)
  await stack.start()
  return stack
}

export class Stack {
  readonly url: string
  readonly stateDir: string
  readonly ports: Ports
  readonly databaseUrl: string
  readonly natsUrl: string
  /** Rejects when a part has been given up; what is left runs on until `stop`. Never, without `restart`. */
  readonly failed: Promise<never>
  readonly #fail: (error: unknown) => void
  readonly #options: StackOptions
  readonly #dir: StateDir
  readonly #secrets: Secrets
  readonly #claim: { release(): void }
  readonly #warden: Child
  readonly #parts: PartSet
  readonly #self = { pid: process.pid, start: processRow(process.pid)?.start ?? '' }
  #isReady = false
  #ended: Promise<void> | undefined

  private constructor(options: StackOptions, dir: StateDir, port: number, ports: Ports, held: { release(): void }) {
    const failed = Promise.withResolvers<never>()
    failed.promise.catch(() => {}) // whoever waits hears of it; nobody has to wait
    this.failed = failed.promise
    this.#fail = failed.reject
    this.#options = options
    this.#dir = dir
    this.#claim = held
    this.#warden = startWarden(dir, this.#self)
    this.#secrets = readSecrets(dir)
    this.ports = ports
    this.url = `http://${HOST}:${port}`
    this.stateDir = dir.path
    this.databaseUrl = databaseUrl(ports.postgres, this.#secrets.postgres)
    this.natsUrl = natsUrl(ports.nats)

    this.#parts = new PartSet({
      dir,
      restart: options.restart ?? true,
      log: this.#log,
      changed: () => this.#record(),
      failed: this.#fail,
    })
    const settings = { ...workerSettings(this.#portsFor('edge'), this.#secrets), ...options.edgeEnv }
    this.#parts.add(postgresPart(dir, ports.postgres, this.#secrets.postgres, this.#log))
    this.#parts.add(natsPart(dir, ports, this.#secrets.nats, this.#log))
    this.#parts.add(recorderPart(this.#portsFor('recorder'), this.#secrets))
    const workerd = options.edge === 'workerd'
    this.#parts.add(workerd ? workerdPart(dir, port, settings) : wranglerPart(dir, port, ports, settings))
    for (let count = options.planners ?? 1; count > 0; count--) {
      const name = this.#parts.nextName('planner')
      this.#parts.add(plannerPart(this.#portsFor(name), this.#secrets, name, options.plannerEnv ?? {}))
    }
    for (let count = options.nodes ?? 1; count > 0; count--) this.#newNode()
  }

  /** Takes the state folder and its ports; nothing runs yet. */
  static async open(options: StackOptions): Promise<Stack> {
    const dir = new StateDir(options.stateDir)
    const held = await claim(dir, options.log ?? (() => {}))
    try {
      const port = await edgePort(options.port ?? 0)
      return new Stack(options, dir, port, await assignPorts(dir), held)
    } catch (error) {
      held.release()
      throw error
    }
  }

  /** Comes back when a request would succeed. @throws StackError after it has stopped what it had started */
  async start(): Promise<void> {
    try {
      const launched = this.#launch()
      launched.catch(() => {})
      await Promise.race([launched, this.failed])
    } catch (error) {
      await this.stop()
      throw error
    }
  }

  async #launch(): Promise<void> {
    const models = bundledModels(this.#modelsDir)
    const database = this.startPart('postgres').then(() => migrate(this.databaseUrl))
    const broker = this.startPart('nats').then(() =>
      this.#withBroker((nc) => prepareBroker(nc, firstPlan(models, this.#options.partitions))),
    )
    await Promise.all([
      this.startPart('edge'),
      Promise.all([database, broker]).then(() => this.startPart('recorder')),
      broker.then(() => Promise.all(this.#parts.ofKind('planner').map(({ spec }) => this.startPart(spec.name)))),
      broker.then(() => Promise.all(this.#parts.ofKind('node').map(({ spec }) => this.startPart(spec.name)))),
    ])
    await this.ready()
    this.#isReady = true
    this.#record()
  }

  /** Waits until the edge would take a request (again). */
  ready(): Promise<void> {
    return untilReady(this.url, () => this.#parts.ofKind('node').some(({ mode }) => mode === 'running'))
  }

  /** Everything, in order; whatever does not leave in time is killed. */
  stop(): Promise<void> {
    this.#ended ??= (async () => {
      await endTools()
      for (const kind of LEAVING) await this.#parts.stop(kind, (line) => this.#options.log?.(line))
      await endTools() // a start that was under way may have come to its tool only now
      await this.#warden.end('SIGKILL', 0)
      this.#claim.release()
    })()
    return this.#ended
  }

  /** Everything, at once. */
  killAll(): void {
    void endTools()
    this.#parts.killNow()
    this.#warden.signal('SIGKILL')
    this.#claim.release()
  }

  /** By its name, or the first of a kind. */
  part(name: string): Part {
    return this.#parts.get(name)
  }

  /** All parts, and the model hosts that the nodes tell of. */
  async parts(): Promise<PartView[]> {
    return [...this.#parts.views(), ...hostViews(await this.#withBroker(nodeStatuses))]
  }

  /** A line for each model that a node has but cannot serve. */
  async unavailableModels(): Promise<string[]> {
    try {
      return unavailableModels(await this.#withBroker(nodeStatuses))
    } catch (error) {
      // Parts come back by themselves: that one is away for a moment ends nothing.
      return [`the nodes could not be asked for their models: ${error instanceof Error ? error.message : error}`]
    }
  }

  /** Sends a signal to the process that does the part's work. @returns its pid */
  kill(name: string, signal: NodeJS.Signals = 'SIGKILL'): number {
    return this.part(name).kill(signal)
  }

  async startPart(name: string): Promise<void> {
    if (this.#ended) throw new StackError('The stack is stopping.')
    await this.part(name).start()
  }

  /** Asks a part to leave; it stays away until `startPart`. */
  stopPart(name: string): Promise<void> {
    return this.part(name).stop()
  }

  async restart(name: string): Promise<void> {
    await this.stopPart(name)
    await this.startPart(name)
  }

  /** One more node, serving. @returns its name */
  async addNode(): Promise<string> {
    const { name } = this.#newNode().spec
    await this.startPart(name)
    return name
  }

  /** Drains a node, for as long as its ORIEL_DRAIN_MS allows, and forgets it. */
  async removeNode(name: string): Promise<void> {
    await this.stopPart(name)
    this.#parts.remove(name)
  }

  token(user: string, options?: TokenOptions): Promise<string> {
    return signToken(this.#secrets.auth, user, options)
  }

  /** A connection of one of the broker's identities. */
  nats(identity: Identity = 'admin'): Promise<NatsConnection> {
    return connectBroker(this.ports.nats, identity, this.#secrets.nats[identity])
  }

  #newNode(): Part {
    const name = this.#parts.nextName('node')
    const { nodeEnv: env = {} } = this.#options
    const options = { name, modelsDir: this.#modelsDir, cacheDir: this.#dir.cache(name), edgeURL: this.url, env }
    const isServing = async () => {
      const status = await this.#withBroker((nc) => nodeStatus(nc, name))
      return status?.mode === 'serving' && status.pid === this.#parts.get(name).child?.pid
    }
    return this.#parts.add(nodePart(this.#portsFor(name), this.#secrets, options, isServing))
  }

  #portsFor(part: string): Ports {
    return this.#options.portsFor?.(part, this.ports) ?? this.ports
  }

  #record(): void {
    if (this.#ended) return
    writeRun(this.#dir, { ...this.#self, url: this.#isReady ? this.url : null, parts: this.#parts.rows() })
  }

  async #withBroker<T>(use: (nc: NatsConnection) => Promise<T>): Promise<T> {
    const nc = await this.nats()
    try {
      return await use(nc)
    } finally {
      await nc.close()
    }
  }

  /** What becomes of the parts while everything stops is no news. */
  readonly #log = (line: string) => {
    if (!this.#ended) this.#options.log?.(line)
  }

  get #modelsDir(): string {
    return resolve(this.#options.modelsDir ?? join(ROOT, 'models'))
  }
}
