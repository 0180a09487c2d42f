import { open, rename, rm } from 'node:fs/promises'
import type { Manifest } from '@oriel/protocol/manifest'
import { ProblemError } from '@oriel/protocol/problem'
import type { ArtifactSource } from './artifact-source.ts'

export type Artifact = Pick<Manifest['files'][number], 'sha256' | 'bytes'>

/** A source that sends nothing for this long is not waited for. */
const SILENCE_MS = 30_000

/** The source, or the way to it, is at fault: asking again may end differently. */
export class SourceAway extends Error {
  override readonly name = 'SourceAway'
}

/**
 * A file from the source to `target`, which is there whole or not at all.
 * @param draft where it lies until it is known to be the right one
 * @throws SourceAway; ProblemError model-damaged: there is no such file, or it is another; whatever the disk says
 */
export async function fetchArtifact(
  source: ArtifactSource,
  { sha256, bytes }: Artifact,
  draft: string,
  target: string,
): Promise<void> {
  const file = await open(draft, 'w')
  const hasher = new Bun.CryptoHasher('sha256')
  let size = 0
  try {
    for await (const chunk of chunksOf(source, sha256)) {
      size += chunk.byteLength
      if (size > bytes) break
      hasher.update(chunk)
      await file.writeFile(chunk)
    }
    await file.close()
    if (size > bytes) throw damaged(sha256, `has more than ${bytes} bytes`)
    // A source that breaks off says so; one that just ends has no more.
    if (size < bytes) throw damaged(sha256, `has ${size} bytes and not ${bytes}`)
    const found = hasher.digest('hex')
    if (found !== sha256) throw damaged(sha256, `has the SHA-256 ${found.slice(0, 12)}…`)
    await rename(draft, target)
  } catch (error) {
    await file.close().catch(() => {}) // it may be closed
    await rm(draft, { force: true })
    throw error
  }
}

async function* chunksOf(source: ArtifactSource, sha256: string): AsyncGenerator<Uint8Array> {
  const silent = new AbortController()
  let timer = setTimeout(() => silent.abort(), SILENCE_MS)
  const silence = new Promise<never>((_, reject) => {
    silent.signal.addEventListener('abort', () => reject(new Error(`nothing came for ${SILENCE_MS / 1000} s`)))
  })
  let reader: ReadableStreamDefaultReader<Uint8Array> | undefined
  try {
    const body = await away(Promise.race([source.open(sha256, silent.signal), silence]))
    if (!body) throw damaged(sha256, 'is not in the store')
    reader = body.getReader()
    for (;;) {
      const { done, value } = await away(Promise.race([reader.read(), silence]))
      if (done) return
      clearTimeout(timer)
      timer = setTimeout(() => silent.abort(), SILENCE_MS)
      yield value
    }
  } finally {
    clearTimeout(timer)
    silence.catch(() => {})
    await reader?.cancel().catch(() => {}) // whatever it says, we are done with it
  }
}

async function away<T>(asked: Promise<T>): Promise<T> {
  try {
    return await asked
  } catch (cause) {
    throw new SourceAway(cause instanceof Error ? cause.message : String(cause), { cause })
  }
}

const damaged = (sha256: string, what: string) =>
  new ProblemError({ kind: 'model-damaged', detail: `The artifact ${sha256.slice(0, 12)}… ${what}.` })
