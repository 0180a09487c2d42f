import assert from 'node:assert/strict'
import type { Manifest } from '@oriel/protocol/manifest'
import type { NodeStatus } from '@oriel/protocol/node-status'
import { Announcer } from './announcer.ts'
import type { Clock } from './clock.ts'
import type { Config } from './config.ts'
import { Consumer } from './consumer.ts'
import { Heartbeat } from './heartbeat.ts'
import { JetStreamOutcomes } from './jetstream-outcomes.ts'
import { JetStreamRequestLog } from './jetstream-request-log.ts'
import { JobRunner } from './job-runner.ts'
import { KvNodeRegistry } from './kv-node-registry.ts'
import type { Logger } from './logger.ts'
import type { ModelRunner } from './model-runner.ts'
import type { ModelShelf } from './model-shelf.ts'
import type { NatsLink } from './nats-link.ts'
import type { NodeRegistry } from './node-registry.ts'
import { PredictionRecord } from './prediction-record.ts'
import { Predictions } from './predictions.ts'
import type { Predictor } from './predictor.ts'

/*
 * starting ──run()──▶ serving ──drain()──▶ draining ──▶ stopped
 * draining: no more jobs; those in hand finish, and what has not by then is handed back
 */
type Mode = 'starting' | 'serving' | 'draining' | 'stopped'

/** How often a sign of life goes into a log while a model runs. */
const PROGRESS_MS = 4_000
/** How long the outputs of runs that are handed back may take into their logs. */
const HAND_BACK_MS = 5_000

/** What runs the models, and what is known of them. */
export interface Models extends ModelShelf {
  readonly runner: ModelRunner
  readonly predictor: Predictor
  /** Of the versions that are whole. */
  readonly manifests: readonly Manifest[]
  status(): Pick<NodeStatus, 'hosts' | 'models' | 'registry'>
  close(): Promise<void>
}

export interface NodeOptions {
  readonly config: Config
  readonly link: NatsLink
  readonly models: Models
  readonly clock: Clock
  readonly logger: Logger
}

/** A node between its broker and its models. */
export class GpuNode {
  readonly #options: NodeOptions
  readonly #startedAt: number
  readonly #jobs: JobRunner
  readonly #predictions: Predictions
  readonly #predictionRecord: PredictionRecord
  readonly #consumer: Consumer
  readonly #heartbeat: Heartbeat
  readonly #announcer: Announcer
  #mode: Mode = 'starting'

  static async open(options: NodeOptions): Promise<GpuNode> {
    return new GpuNode(options, await KvNodeRegistry.open(options.link))
  }

  private constructor(options: NodeOptions, registry: NodeRegistry) {
    const { config, link, models, clock, logger } = options
    this.#options = options
    this.#startedAt = clock.now()
    this.#jobs = new JobRunner({
      node: config.ORIEL_NODE_NAME,
      log: new JetStreamRequestLog(link),
      outcomes: new JetStreamOutcomes(link),
      models,
      runner: models.runner,
      clock,
      random: Math.random,
      logger,
      coalesceMs: config.ORIEL_COALESCE_MS,
      progressMs: PROGRESS_MS,
    })
    this.#predictionRecord = new PredictionRecord(config.ORIEL_NODE_NAME, link, clock, logger)
    this.#predictions = new Predictions({
      node: config.ORIEL_NODE_NAME,
      link,
      models,
      predictor: models.predictor,
      runner: models.runner,
      clock,
      logger,
      onPredicted: (predicted) => this.#predictionRecord.add(predicted),
    })
    this.#consumer = new Consumer({
      link,
      node: config.ORIEL_NODE_NAME,
      loaded: () => loadedNames(models.status().models),
      helpAfterMs: config.ORIEL_HELP_AFTER_MS,
      slots: config.ORIEL_SLOTS,
      deliver: async (delivery) => {
        this.#heartbeat.changed()
        await this.#jobs.deliver(delivery)
        this.#heartbeat.changed()
      },
      working: () => this.#jobs.working(),
      cancel: (id) => {
        this.#jobs.cancel(id)
        this.#predictions.cancel(id)
      },
      logger,
    })
    this.#heartbeat = new Heartbeat({ registry, clock, logger, describe: () => this.#describe() })
    this.#announcer = new Announcer({ registry, clock, logger, manifests: models.manifests })
  }

  run(): void {
    this.#heartbeat.run()
    this.#announcer.run()
    // A broker that came back may have come back without its state.
    this.#options.link.onReconnect(() => {
      this.#announcer.run()
      void this.#jobs.verify()
      // The relays have heard that the connection ended: without a word, they would soon give our jobs to others.
      this.#heartbeat.changed()
    })
    this.#consumer.run()
    this.#predictions.run()
    this.#setMode('serving')
  }

  /** A host came or went, or a model was loaded. */
  changed(): void {
    this.#heartbeat.changed()
  }

  /** Resolves when nothing is held: no job, no host, no connection. */
  async drain(): Promise<void> {
    const { config, link, models, logger } = this.#options
    this.#setMode('draining')
    this.#announcer.stop()
    this.#predictions.stop()
    await this.#consumer.stop()
    if (!(await this.#idleWithin(config.ORIEL_DRAIN_MS))) {
      logger.info('jobs are handed back', { jobs: this.#jobs.busy })
      this.#jobs.handBack()
      if (!(await this.#idleWithin(HAND_BACK_MS))) this.#jobs.abandon()
    }
    this.#consumer.close()
    await this.#heartbeat.stop()
    this.#predictions.abandon()
    await this.#predictionRecord.drain(HAND_BACK_MS)
    await models.close()
    await this.#jobs.idle()
    assert(this.#jobs.busy === 0, 'a node that has drained holds no job')
    await link.nc.drain().catch(() => link.nc.close()) // it cannot drain when it has just broken
    this.#setMode('stopped')
  }

  async #idleWithin(ms: number): Promise<boolean> {
    const late = Promise.withResolvers<boolean>()
    const cancel = this.#options.clock.setTimer(ms, () => late.resolve(false))
    const idle = await Promise.race([this.#allIdle().then(() => true), late.promise])
    cancel()
    return idle
  }

  async #allIdle(): Promise<void> {
    await Promise.all([this.#jobs.idle(), this.#predictions.idle()])
  }

  #setMode(mode: Mode): void {
    this.#mode = mode
    this.#options.logger.info(mode)
    this.#heartbeat.changed()
  }

  #describe(): NodeStatus {
    const { config, clock, models } = this.#options
    return {
      node: config.ORIEL_NODE_NAME,
      pid: process.pid,
      startedAt: this.#startedAt,
      lastHeartbeat: clock.now(),
      mode: this.#mode === 'stopped' ? 'draining' : this.#mode,
      slots: config.ORIEL_SLOTS,
      busy: this.#jobs.busy,
      ...models.status(),
    }
  }
}

const loadedNames = (models: NodeStatus['models']): ReadonlySet<string> =>
  new Set(models.filter(({ state }) => state === 'loaded').map(({ name }) => name))
