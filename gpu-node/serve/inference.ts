import type { InferenceAnswer, InferencePort, ModelRef, ModelStatistics, RepositoryEntry } from '@oriel/oip/port'
import { servedModel } from '@oriel/oip/served-model'
import { ModelVersion } from '@oriel/protocol/manifest'
import { ProblemError, toProblem } from '@oriel/protocol/problem'
import * as v from 'valibot'
import { type AnswerOptions, answerCall, streamCall } from '../answer-call.ts'
import type { Observer } from '../observer.ts'
import type { Edition } from './edition.ts'
import type { ModelRepository } from './repository.ts'
import type { Statistics } from './statistics.ts'

export interface InferenceOptions extends AnswerOptions {
  readonly repository: ModelRepository
  readonly statistics: Statistics
  readonly observer: Observer
  readonly build: string
  /** ms, of no particular beginning; fine enough for a prediction. */
  readonly stopwatch: () => number
  readonly isReady: () => boolean
}

/** A node alone, as the routes of the Open Inference Protocol see it. */
export function standaloneInference(options: InferenceOptions): InferencePort {
  const { repository, statistics, build, isReady } = options
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
      return held(options, edition, () => answerCall(options, edition.model, call, signal))
    },
    async *stream(ref, call, signal) {
      const edition = await borrow(ref)
      try {
        yield* streamCall(options, edition.model, call, signal)
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
