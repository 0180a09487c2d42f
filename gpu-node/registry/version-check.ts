import { join } from 'node:path'
import type { CheckAnswer } from '@oriel/protocol/check'
import type { Manifest } from '@oriel/protocol/manifest'
import { type ProblemKind, toProblem } from '@oriel/protocol/problem'
import type { ArtifactCache } from '../artifacts/artifact-cache.ts'
import { BystanderError } from '../bystander-error.ts'
import { graphFile } from '../engines/model-file.ts'
import type { GraphInspector } from '../graph-inspector.ts'
import { completedManifest, isSilent } from './completed-manifest.ts'

/**
 * What a version is to blame for, whoever opens it. Of a host that ended or was too slow nobody knows whose fault it was:
 * the registrar has it tried again, and refuses it when that goes on.
 */
const UNFIT: readonly ProblemKind[] = ['model-unavailable', 'model-damaged', 'input-mismatch']

export interface Checking {
  readonly cache: Pick<ArtifactCache, 'hold' | 'dirOf'>
  readonly inspector: Pick<GraphInspector, 'inspect' | 'open'>
}

/** Opens a version as a host would, in a process that takes nobody with it. Never throws. */
export async function checkVersion(manifest: Manifest, { cache, inspector }: Checking): Promise<CheckAnswer> {
  let release = () => {}
  try {
    release = await cache.hold(manifest)
    const dir = cache.dirOf(manifest)
    const whole = isSilent(manifest)
      ? completedManifest(manifest, await inspector.inspect(join(dir, graphFile({ manifest, dir }))))
      : manifest
    await inspector.open({ manifest: whole, dir })
    return { kind: 'fit', manifest: whole }
  } catch (error) {
    const problem = toProblem(error)
    const unfit = UNFIT.includes(problem.kind) && !(error instanceof BystanderError) && !isDisk(error)
    return { kind: unfit ? 'unfit' : 'unable', problem }
  } finally {
    release()
  }
}

/** The node's disk is at fault, not what was to be written on it. */
function isDisk(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  if ('code' in error) return error.code === 'ENOSPC' || error.code === 'EDQUOT'
  return isDisk(error.cause)
}
