import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { BatchDone } from './batching/batcher.ts'
import type { LocalModel } from './model-runner.ts'
import type { Observer } from './observer.ts'

/** What is known when somebody looks, and not before. */
export interface NodeGauges {
  readonly requests: () => number
  readonly models: () => number
  readonly memory: () => { readonly usedBytes: number; readonly budgetBytes: number }
  readonly hosts: () => readonly { readonly name: string; readonly rssBytes: number }[]
}

/** Whether metrics tell models and their versions apart: with thousands of them, each metric is thousands of series. */
export type MetricLabels = 'none' | 'model' | 'version'

/** From 0.1 ms, a tiny model in a warm host, to the minute that a heavy one may take. */
const SECONDS = [1, 2.5, 5]
  .flatMap((step) => [1e-4, 1e-3, 1e-2, 0.1, 1, 10].map((unit) => step * unit))
  .sort((a, b) => a - b)
const ROWS = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024]

type Labels = Partial<Record<'model' | 'version', string>>

/** A node's metrics in the text format of Prometheus. */
export class NodeMetrics implements Observer {
  readonly #registry = new Registry()
  readonly #detail: MetricLabels
  readonly #labels = new WeakMap<LocalModel, Labels>()
  readonly #requests
  readonly #requestSeconds
  readonly #queueSeconds
  readonly #inferenceSeconds
  readonly #batchRows
  readonly #loads
  readonly #loadSeconds
  readonly #readBytes
  readonly #unloads
  readonly #misses
  readonly #evictions
  readonly #recycles
  readonly #hostLosses

  constructor(detail: MetricLabels, gauges: NodeGauges) {
    this.#detail = detail
    const names = detail === 'none' ? [] : detail === 'model' ? (['model'] as const) : (['model', 'version'] as const)
    const registers = [this.#registry]
    const counter = (name: string, help: string) => new Counter({ name, help, labelNames: names, registers })
    const histogram = (name: string, help: string, buckets: number[]) =>
      new Histogram({ name, help, labelNames: names, buckets, registers })
    this.#requests = new Counter({
      name: 'oriel_requests_total',
      help: 'Predictions that ended, by how: ok, cancelled, or the kind of their problem.',
      labelNames: [...names, 'outcome'],
      registers,
    })
    this.#requestSeconds = histogram('oriel_request_seconds', 'From a prediction’s arrival to its answer.', SECONDS)
    this.#queueSeconds = histogram('oriel_queue_seconds', 'How long the first of a batch waited for its run.', SECONDS)
    this.#inferenceSeconds = histogram('oriel_inference_seconds', 'One run of a model, of however many rows.', SECONDS)
    this.#batchRows = histogram('oriel_batch_rows', 'Rows in one run of a model.', ROWS)
    this.#loads = counter('oriel_model_loads_total', 'Models that were brought into memory.')
    this.#loadSeconds = histogram(
      'oriel_model_load_seconds',
      'From asking for a model to having it in memory.',
      SECONDS,
    )
    this.#readBytes = counter('oriel_model_read_bytes_total', 'Bytes of the files of models that were loaded.')
    this.#unloads = counter('oriel_model_unloads_total', 'Models that were let go of.')
    this.#misses = counter('oriel_model_misses_total', 'Requests that found their model out of memory.')
    this.#evictions = counter('oriel_model_evictions_total', 'Models that were thrown out of memory for others.')
    this.#recycles = new Counter({
      name: 'oriel_host_recycles_total',
      help: 'Processes that had grown too large and were replaced.',
      registers,
    })
    this.#hostLosses = new Counter({
      name: 'oriel_host_losses_total',
      help: 'Processes that ran models and died or hung.',
      registers,
    })
    this.#observe(gauges)
  }

  get contentType(): string {
    return this.#registry.contentType
  }

  text(): Promise<string> {
    return this.#registry.metrics()
  }

  ran(model: LocalModel, { rows, waitedMs, ranMs }: BatchDone): void {
    const labels = this.#labelsOf(model)
    this.#batchRows.observe(labels, rows)
    this.#inferenceSeconds.observe(labels, ranMs / 1000)
    this.#queueSeconds.observe(labels, waitedMs / 1000)
  }

  answered(model: LocalModel, outcome: Parameters<Observer['answered']>[1], tookMs: number): void {
    const labels = this.#labelsOf(model)
    this.#requests.inc({ ...labels, outcome })
    this.#requestSeconds.observe(labels, tookMs / 1000)
  }

  loaded(model: LocalModel, tookMs: number, bytes: number): void {
    const labels = this.#labelsOf(model)
    this.#loads.inc(labels)
    this.#loadSeconds.observe(labels, tookMs / 1000)
    this.#readBytes.inc(labels, bytes)
  }

  missed(model: LocalModel): void {
    this.#misses.inc(this.#labelsOf(model))
  }

  evicted(model: LocalModel): void {
    this.#evictions.inc(this.#labelsOf(model))
  }

  recycled(): void {
    this.#recycles.inc()
  }

  unloaded(model: LocalModel): void {
    this.#unloads.inc(this.#labelsOf(model))
  }

  hostLost(): void {
    this.#hostLosses.inc()
  }

  #labelsOf(model: LocalModel): Labels {
    const known = this.#labels.get(model)
    if (known) return known
    const { name, version } = model.manifest
    const labels = this.#detail === 'none' ? {} : this.#detail === 'model' ? { model: name } : { model: name, version }
    this.#labels.set(model, labels)
    return labels
  }

  #observe({ requests, models, memory, hosts }: NodeGauges): void {
    const gauge = (name: string, help: string, value: () => number) =>
      new Gauge({
        name,
        help,
        registers: [this.#registry],
        collect() {
          this.set(value())
        },
      })
    gauge('oriel_requests', 'Predictions under way.', requests)
    gauge('oriel_models_resident', 'Models in memory.', models)
    gauge('oriel_model_memory_bytes', 'Memory that models have, or are about to have.', () => memory().usedBytes)
    gauge('oriel_model_memory_budget_bytes', 'Memory that models may have.', () => memory().budgetBytes)
    gauge('oriel_hosts', 'Processes that run models.', () => hosts().length)
    gauge('oriel_process_resident_memory_bytes', 'Memory of the node’s own process.', () => process.memoryUsage.rss())
    new Gauge({
      name: 'oriel_host_resident_memory_bytes',
      help: 'Memory of each process that runs models.',
      labelNames: ['host'],
      registers: [this.#registry],
      collect() {
        this.reset()
        for (const { name, rssBytes } of hosts()) this.set({ host: name }, rssBytes)
      },
    })
  }
}
