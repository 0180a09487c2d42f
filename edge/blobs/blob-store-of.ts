import { ProblemError } from '@oriel/protocol/problem'
import type { Env } from '../env.ts'
import type { BlobStore } from './blob-store.ts'
import { DiskBlobStore } from './disk-blob-store.ts'
import { R2BlobStore } from './r2-blob-store.ts'

/** @throws ProblemError unavailable when the edge has no place for files */
export function blobStoreOf({ ARTIFACTS, ARTIFACTS_DISK }: Pick<Env, 'ARTIFACTS' | 'ARTIFACTS_DISK'>): BlobStore {
  if (ARTIFACTS) return new R2BlobStore(ARTIFACTS)
  if (ARTIFACTS_DISK) return new DiskBlobStore(ARTIFACTS_DISK)
  console.error('the edge has no binding ARTIFACTS (R2) and none ARTIFACTS_DISK (a folder of workerd)')
  throw new ProblemError({ kind: 'unavailable', detail: 'The edge has no place for the files of models.' })
}
