import type { ArtifactSource } from './artifact-source.ts'

/** From the edge, which shows them to whoever has the token of nodes. */
export class HttpArtifacts implements ArtifactSource {
  readonly #base: string
  readonly #token: string

  constructor(base: string, token: string) {
    this.#base = base
    this.#token = token
  }

  async open(sha256: string, signal: AbortSignal): Promise<ReadableStream<Uint8Array> | undefined> {
    const answer = await fetch(new URL(`/artifacts/${sha256}`, this.#base), {
      headers: { Authorization: `Bearer ${this.#token}` },
      signal,
    })
    if (answer.ok) return answer.body ?? new Blob([]).stream()
    await answer.body?.cancel()
    if (answer.status === 404) return undefined
    throw new Error(`the edge answered ${answer.status}`)
  }
}
