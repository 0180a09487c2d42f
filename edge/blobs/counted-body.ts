/** A body that is passed on, and remembers how it went: whoever fails to store it asks whether the body was at fault. */
export class CountedBody {
  readonly stream: ReadableStream<Uint8Array>
  #bytes = 0
  #end: 'open' | 'whole' | 'broken' = 'open'

  constructor(body: ReadableStream<Uint8Array>) {
    const reader = body.getReader()
    this.stream = new ReadableStream<Uint8Array>({
      pull: async (into) => {
        const chunk = await reader.read().catch((error) => {
          this.#end = 'broken'
          throw error
        })
        if (chunk.done) {
          this.#end = 'whole'
          into.close()
          return
        }
        this.#bytes += chunk.value.byteLength
        into.enqueue(chunk.value)
      },
      cancel: (reason) => reader.cancel(reason),
    })
  }

  /** It broke off, or has another length. */
  isNot(bytes: number): boolean {
    return this.#end === 'broken' || this.#bytes > bytes || (this.#end === 'whole' && this.#bytes < bytes)
  }
}
