import { artifactKey } from '@oriel/protocol/artifact'
import { S3Client, type S3Options } from 'bun'
import type { ArtifactSource } from './artifact-source.ts'

/** From the bucket itself, by the S3 API: R2 in production. */
export class S3Artifacts implements ArtifactSource {
  readonly #client: S3Client

  constructor(options: S3Options) {
    this.#client = new S3Client(options)
  }

  async open(sha256: string): Promise<ReadableStream<Uint8Array> | undefined> {
    const file = this.#client.file(artifactKey(sha256))
    return (await file.exists()) ? file.stream() : undefined
  }
}
