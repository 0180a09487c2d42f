import type { BlobStore, Part } from './blob-store.ts'

/**
 * A folder of plain workerd's, through its `disk` service: GET, PUT and DELETE on paths. A PUT shows when its whole body
 * has come, and never in part.
 */
export class DiskBlobStore implements BlobStore {
  readonly #disk: Fetcher

  constructor(disk: Fetcher) {
    this.#disk = disk
  }

  async begin(): Promise<string> {
    return crypto.randomUUID()
  }

  async putPart(_key: string, handle: string, number: number, body: ReadableStream<Uint8Array>, bytes: number) {
    await this.#put(partOf(handle, number), bytes, (into) => body.pipeTo(into))
    return String(number)
  }

  async complete(key: string, handle: string, parts: readonly Part[], bytes: number): Promise<void> {
    await this.#put(key, bytes, async (into) => {
      for (const { number } of parts) {
        const body = await this.read(partOf(handle, number))
        if (!body) throw new Error(`part ${number} is not there any more`)
        await body.pipeTo(into, { preventClose: true })
      }
      await into.close()
    })
    await this.abort(key, handle)
  }

  async abort(_key: string, handle: string): Promise<void> {
    await this.delete(`uploads/${handle}`)
  }

  async size(key: string): Promise<number | undefined> {
    const answer = await this.#ask(key, { method: 'HEAD' })
    return answer.ok ? Number(answer.headers.get('Content-Length')) : undefined
  }

  async read(key: string): Promise<ReadableStream<Uint8Array> | undefined> {
    const answer = await this.#ask(key, {})
    return answer.ok ? (answer.body ?? new Blob([]).stream()) : undefined
  }

  async delete(key: string): Promise<void> {
    const answer = await this.#ask(key, { method: 'DELETE' })
    await answer.body?.cancel()
  }

  async #put(path: string, bytes: number, fill: (into: WritableStream<Uint8Array>) => Promise<void>): Promise<void> {
    const { readable, writable } = new FixedLengthStream(bytes)
    const filled = fill(writable).catch(async (error) => {
      await writable.abort(error).catch(() => {}) // or the service would wait for the rest
      throw error
    })
    const [answer] = await Promise.all([this.#ask(path, { method: 'PUT', body: readable }), filled])
    if (!answer.ok) throw new Error(`the disk answered ${answer.status}`)
  }

  async #ask(path: string, init: RequestInit): Promise<Response> {
    const answer = await this.#disk.fetch(`http://disk/${path}`, init)
    if (answer.ok || answer.status === 404) return answer
    throw new Error(`the disk answered ${answer.status}: ${(await answer.text()).slice(0, 200)}`)
  }
}

const partOf = (handle: string, number: number) => `uploads/${handle}/${number}`
