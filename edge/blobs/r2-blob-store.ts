import type { BlobStore, Part } from './blob-store.ts'

/** A bucket of R2: in production, and under `wrangler dev`. */
export class R2BlobStore implements BlobStore {
  readonly #bucket: R2Bucket

  constructor(bucket: R2Bucket) {
    this.#bucket = bucket
  }

  async begin(key: string): Promise<string> {
    return (await this.#bucket.createMultipartUpload(key)).uploadId
  }

  async putPart(key: string, handle: string, number: number, body: ReadableStream<Uint8Array>, bytes: number) {
    // R2 wants to know the length of a stream beforehand.
    const { readable, writable } = new FixedLengthStream(bytes)
    const upload = this.#bucket.resumeMultipartUpload(key, handle)
    const [part] = await Promise.all([upload.uploadPart(number, readable), body.pipeTo(writable)])
    return part.etag
  }

  async complete(key: string, handle: string, parts: readonly Part[]): Promise<void> {
    const given = parts.map(({ number, etag }) => ({ partNumber: number, etag }))
    await this.#bucket.resumeMultipartUpload(key, handle).complete(given)
  }

  async abort(key: string, handle: string): Promise<void> {
    await this.#bucket.resumeMultipartUpload(key, handle).abort()
  }

  async size(key: string): Promise<number | undefined> {
    return (await this.#bucket.head(key))?.size
  }

  async read(key: string): Promise<ReadableStream<Uint8Array> | undefined> {
    return (await this.#bucket.get(key))?.body
  }

  async delete(key: string): Promise<void> {
    await this.#bucket.delete(key)
  }
}
