import type {
  InferenceAnswer,
  InferenceCall,
  InferencePort,
  ModelRef,
  ModelStatistics,
  RepositoryEntry,
} from '@oriel/oip/port'
import { ModelVersion } from '@oriel/protocol/manifest'
import { ProblemError, toProblem } from '@oriel/protocol/problem'
import * as v from 'valibot'
import { BystanderError } from '../bystander-error.ts'
import type { LocalModel, ModelRunner } from '../model-runner.ts'
import type { Observer } from '../observer.ts'
import type { Predictor } from '../predictor.ts'
import type { Edition } from './edition.ts'
import { generate } from './generation.ts'
import type { ModelRepository } from './repository.ts'
import { servedModel, TEXT_OUT } from './served-model.ts'
import type { Statistics } from './statistics.ts'

/** Tries of a prediction that was lost with a host through no fault of its own. */
const TRIES = 3

export interface InferenceOptions {
  readonly repository: ModelRepository
  readonly predictor: Predictor
  /** Of models that generate. */
  readonly runner: ModelRunner
  readonly statistics: Statistics
  readonly observer: Observer
  readonly build: string
  /** ms since the epoch */
  readonly now: () => number
  /** ms, of no particular beginning; fine enough for a prediction. */
  readonly stopwatch: () => number
  readonly isReady: () => boolean
}

/** A node alone, as the routes of the Open Inference Protocol see it. */
export function standaloneInference(options: InferenceOptions): InferencePort {
  const { repository, runner, statistics, build, now, isReady } = options
  const borrow = ({ name, version }: ModelRef) => repository.borrow(name, numberOf(name, version))
  return {
    server: () => ({ name: 'oriel', version: build }),
    live: async () => true,
    ready: async () => isReady(),
    async describe(ref) {
      const edition = await borrow(ref)
      edition.release()
      return servedModel(edition.model.manifest, repository.versions(ref.name))
    },
    modelReady: async ({ name, version }) => isReady() && repository.isReady(name, numberOf(name, version)),
    async infer(ref, call, signal) {
      const borrowed = borrow(ref)
      const edition = borrowed instanceof Promise ? await borrowed : borrowed
      return held(options, edition, () =>
        edition.model.manifest.engine === 'text-generation'
          ? whole(edition.model, generate(runner, edition.model, call, now(), signal))
          : predict(options, edition.model, call, signal),
      )
    },
    async *stream(ref, call, signal) {
      const edition = await borrow(ref)
      const { model } = edition
      try {
        if (model.manifest.engine !== 'text-generation') yield await predict(options, model, call, signal)
        else for await (const text of generate(runner, model, call, now(), signal)) yield answerOf(model, text)
      } finally {
        edition.release()
      }
    },
    async statistics(ref) {
      const all: ModelStatistics[] = []
      for (const { name, version, model } of repository.list()) {
        if (!model || (ref && (ref.name !== name || (ref.version ?? version) !== version))) continue
        all.push(statistics.of(model))
      }
      if (ref && all.length === 0) (await borrow(ref)).release() // says why there are none
      return all
    },
    repository: {
      index: async () => repository.list().map(toEntry),
      load: (name) => repository.load(name),
      unload: async (name) => repository.unload(name),
    },
  }
}

async function held(
  { observer, stopwatch }: InferenceOptions,
  edition: Edition,
  action: () => Promise<InferenceAnswer>,
): Promise<InferenceAnswer> {
  const since = stopwatch()
  try {
    const answer = await action()
    observer.answered(edition.model, 'ok', stopwatch() - since)
    return answer
  } catch (error) {
    const isCancelled = error instanceof DOMException && error.name === 'AbortError'
    observer.answered(edition.model, isCancelled ? 'cancelled' : toProblem(error).kind, stopwatch() - since)
    throw error
  } finally {
    edition.release()
  }
}

async function predict(
  { predictor }: InferenceOptions,
  model: LocalModel,
  { inputs, outputs, parameters }: InferenceCall,
  signal: AbortSignal,
): Promise<InferenceAnswer> {
  const { name, version } = model.manifest
  const [parameter] = Object.keys(parameters)
  if (parameter !== undefined) {
    throw new ProblemError({ kind: 'invalid-parameter', detail: `parameters.${parameter}: the model takes none.` })
  }
  for (let tries = 1; ; tries++) {
    try {
      const found = await predictor.predict(model, inputs, outputs ? { outputs, signal } : { signal })
      return { model: name, version, outputs: found }
    } catch (error) {
      if (!(error instanceof BystanderError) || tries === TRIES) throw error
    }
  }
}

async function whole(model: LocalModel, parts: AsyncIterable<string>): Promise<InferenceAnswer> {
  let text = ''
  for await (const part of parts) text += part
  return answerOf(model, text)
}

const answerOf = ({ manifest: { name, version } }: LocalModel, text: string): InferenceAnswer => ({
  model: name,
  version,
  outputs: [{ name: TEXT_OUT, datatype: 'BYTES', shape: [1], values: [text] }],
})

/** A node alone has numbers and `latest`; other aliases belong to a registry. */
function numberOf(name: string, version: string | undefined): string | undefined {
  if (version === undefined || version === 'latest') return undefined
  if (v.is(ModelVersion, version)) return version
  throw new ProblemError({ kind: 'model-not-found', detail: `There is no version ${version} of ${name} here.` })
}

const ENTRY_STATES = { ready: 'READY', loading: 'LOADING', unavailable: 'UNAVAILABLE' } as const

function toEntry({ name, version, state, reason }: ReturnType<ModelRepository['list']>[number]): RepositoryEntry {
  return { name, version, state: ENTRY_STATES[state], ...(reason && { reason }) }
}
