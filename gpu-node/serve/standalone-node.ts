import { BatchingPredictor } from '../batching/batching-predictor.ts'
import { BoundedRunner } from '../bounded-runner.ts'
import { fineClock, systemClock } from '../clock.ts'
import { GraphInspector } from '../graph-inspector.ts'
import { bunHosts } from '../host/bun-host-process.ts'
import { HostPool } from '../host-pool.ts'
import { NodeMetrics } from '../metrics.ts'
import type { Observer } from '../observer.ts'
import { isPinned } from '../pinned-models.ts'
import { Admission } from './admission.ts'
import { type HttpServer, startHttp } from './http-server.ts'
import { standaloneInference } from './inference.ts'
import { modelShelf } from './model-shelf.ts'
import { type ModelTree, readTree } from './model-tree.ts'
import { openVersion } from './open-version.ts'
import type { ServeOptions } from './options.ts'
import { ModelRepository } from './repository.ts'
import { Statistics } from './statistics.ts'
import { Watcher } from './watcher.ts'

const MB = 1024 * 1024
const WATCH_MS = 1_000
const TIMEOUT_MS = 30_000

/*
 * loading ──open()──▶ ready ──close()──▶ stopping
 * Its port is open in all of them: while it loads it answers that it lives and is not ready.
 */
type Mode = 'loading' | 'ready' | 'stopping'

export interface StandaloneOptions {
  readonly options: ServeOptions
  /** Of this program. */
  readonly build: string
  /** For people: what happens to models and hosts. */
  readonly say: (text: string) => void
}

/** A node without a broker, over a folder of models. */
export class StandaloneNode {
  readonly url: string
  readonly repository: ModelRepository
  readonly #options: ServeOptions
  readonly #say: (text: string) => void
  readonly #pool: HostPool
  readonly #inspector: GraphInspector
  readonly #http: HttpServer
  #watcher: Watcher | undefined
  #mode: Mode = 'loading'

  /** @throws Error when the port cannot be had */
  constructor({ options, build, say }: StandaloneOptions) {
    this.#options = options
    this.#say = say
    const admission = new Admission(options['max-requests'], options['max-waiting-mb'] * MB)
    const statistics = new Statistics(systemClock)
    const metrics = new NodeMetrics(options['metric-labels'], {
      requests: () => admission.requests,
      models: () => this.#pool.status().reduce((sum, host) => sum + host.models.length, 0),
      memory: () => this.#pool.memory(),
      hosts: () => this.#pool.status(),
    })
    const observer = both(metrics, statistics)
    // Hosts come up as they are started, so nothing that may be refused comes after them but the port.
    this.#inspector = new GraphInspector({
      start: bunHosts({ threads: 1 }),
      clock: systemClock,
      onLine: (line) => say(`a graph says: ${line}`),
    })
    this.#pool = new HostPool({
      hosts: options.hosts,
      budgetBytes: options['memory-mb'] * MB,
      isPinned: (model) => isPinned(options.pin ?? [], model),
      observer,
      start: bunHosts({ threads: options.threads }),
      clock: systemClock,
      onChange: ({ host, why }) => {
        if (why === undefined || this.#mode === 'stopping') return
        observer.hostLost()
        say(`${host} was lost (${why}) and is replaced`)
      },
      onLine: (host, line) => say(`${host} says: ${line}`),
    })
    this.repository = new ModelRepository({
      readTree: (only) => readTree(options.models, only),
      shelf: modelShelf({
        open: (found) =>
          openVersion(found, {
            inspect: (file) => this.#inspector.inspect(file),
            maxBatch: options['max-batch'],
            timeoutMs: TIMEOUT_MS,
            hangMs: options['hang-ms'],
          }),
        hosts: this.#pool,
        observer,
        say,
      }),
    })
    const predictor = new BatchingPredictor({
      hosts: this.#pool,
      clock: fineClock,
      onBatch: (model, done) => observer.ran(model, done),
    })
    const inference = standaloneInference({
      repository: this.repository,
      predictor,
      runner: new BoundedRunner(this.#pool),
      statistics,
      observer,
      build,
      now: systemClock.now,
      stopwatch: fineClock.now,
      isReady: () => this.#mode === 'ready',
    })
    const { http: port, host: hostname } = options
    const maxBodyBytes = options['max-body-mb'] * MB
    this.#http = startHttp({ port, hostname, inference, admission, maxBodyBytes, metrics })
    this.url = this.#http.url
  }

  /** Reads the folder and loads what is to be loaded. @returns what a person should know of the folder */
  async open(): Promise<readonly string[]> {
    const { models, load, watch } = this.#options
    const seen = watch ? await fingerprint(models) : ''
    const notes = await this.repository.refresh()
    if (load === 'start') await this.repository.openAll()
    if (this.#mode === 'loading') this.#mode = 'ready'
    if (watch) this.#watch(seen)
    return notes
  }

  /** What runs ends, or is ended after `ms`. Afterwards nothing is left of it. */
  async close(ms: number): Promise<void> {
    this.#mode = 'stopping'
    await this.#watcher?.stop()
    await this.#http.drain(ms)
    await Promise.all([this.#pool.close(), this.#inspector.close()])
  }

  #watch(seen: string): void {
    const { models, load } = this.#options
    this.#watcher = new Watcher(
      {
        everyMs: WATCH_MS,
        clock: systemClock,
        look: () => fingerprint(models),
        onChange: async () => {
          await this.repository.refresh()
          if (load === 'start') await this.repository.openAll()
        },
        onError: (error) =>
          this.#say(`the folder could not be read: ${error instanceof Error ? error.message : error}`),
      },
      seen,
    )
    this.#watcher.run()
  }
}

const fingerprint = async (models: string): Promise<string> => {
  const { versions }: ModelTree = await readTree(models)
  return JSON.stringify(versions.map(({ name, version, stamp }) => [name, version, stamp]))
}

function both(metrics: NodeMetrics, statistics: Statistics): Observer {
  return {
    ran(model, done) {
      metrics.ran(model, done)
      statistics.ran(model, done)
    },
    answered(model, outcome, tookMs) {
      metrics.answered(model, outcome, tookMs)
      statistics.answered(model, outcome, tookMs)
    },
    missed: (model) => metrics.missed(model),
    loaded: (model, tookMs, bytes) => metrics.loaded(model, tookMs, bytes),
    evicted: (model) => metrics.evicted(model),
    recycled: () => metrics.recycled(),
    unloaded(model) {
      metrics.unloaded(model)
      statistics.unloaded(model)
    },
    hostLost: () => metrics.hostLost(),
  }
}
