import { tensorsOfItem } from '@oriel/protocol/item'
import type { Manifest } from '@oriel/protocol/manifest'
import { resolveParameters } from '@oriel/protocol/parameters'
import { ProblemError } from '@oriel/protocol/problem'
import { signatureOf } from '@oriel/protocol/signature'
import { countOf, type NamedTensor, newValues } from '@oriel/protocol/tensor'
import type { Session, StreamSession } from '../engines/engine.ts'

/** A row of more values than these is not made up. */
const MAX_VALUES = 2 ** 24

/**
 * Runs a model once, so that the first caller does not wait for what it does only once: on the manifest's sample, or
 * on a made-up row. A model that cannot run its own sample is not loaded.
 * @throws ProblemError model-unavailable
 */
export async function warmUp(session: Session, manifest: Manifest): Promise<void> {
  try {
    if (session.kind === 'stream') return await firstOutput(session, manifest)
    const row = manifest.sample === undefined ? madeUp(manifest) : tensorsOfItem(manifest, manifest.sample)
    if (row) await session.infer(row)
  } catch (error) {
    // That a model does not like zeros says nothing of it.
    if (manifest.sample === undefined && error instanceof ProblemError) return
    await session.dispose()
    if (!(error instanceof ProblemError)) throw error
    const detail = `The model failed on the sample of its manifest: ${error.problem.detail}`
    throw new ProblemError({ kind: 'model-unavailable', detail }, { cause: error })
  }
}

async function firstOutput(session: StreamSession, manifest: Manifest): Promise<void> {
  const input = manifest.sample ?? 'a'
  const abort = new AbortController()
  const task = {
    input,
    parameters: resolveParameters(manifest.parameters, {}),
    seed: 0,
    prior: { tokens: [], text: '' },
  }
  const around = {
    signal: abort.signal,
    emit: () => abort.abort(),
    step: async <T>(work: () => T | Promise<T>) => work(),
  }
  await session.run(task, around).catch((error) => {
    if (!abort.signal.aborted) throw error
  })
}

function madeUp(manifest: Manifest): NamedTensor[] | undefined {
  const rows = manifest.limits.maxBatch > 0 ? [1] : []
  const ports = (signatureOf(manifest)?.inputs ?? []).map(({ name, datatype, shape }) => {
    return { name, datatype, shape: [...rows, ...shape.map((size) => (size === -1 ? 1 : size))] }
  })
  if (ports.some(({ shape }) => countOf(shape) > MAX_VALUES)) return undefined
  return ports.map((port) => ({ ...port, values: newValues(port.datatype, countOf(port.shape)) }))
}
