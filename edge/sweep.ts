import { artifactKey } from '@oriel/protocol/artifact'
import type { Platform } from './platform.ts'

/** R2 drops an upload that nobody completed after seven days. */
export const UPLOAD_MS = 6 * 24 * 60 * 60_000

/** Removes what deletions and cut-off uploads left behind. It may fail at any point: the next one goes on. Never throws. */
export async function sweep(platform: Platform): Promise<void> {
  try {
    const blobs = platform.blobs()
    await platform.uploads((all) => all.drop((sha256) => blobs.delete(artifactKey(sha256))))
    for (const { sha256, handle } of await platform.uploads((all) => all.abandoned(UPLOAD_MS))) {
      // One that R2 has dropped itself must not keep the others.
      await blobs.abort(artifactKey(sha256), handle).catch((error) => console.warn('an old upload stays', error))
      await platform.uploads((all) => all.forget(handle))
    }
  } catch (error) {
    console.warn('files that nobody needs are still there; the next deletion or upload removes them', error)
  }
}
