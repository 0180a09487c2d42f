/** Where the files of registered models come from, by their content. */
export interface ArtifactSource {
  /**
   * @returns `undefined` when there is no such file
   * @throws when that cannot be found out now
   */
  open(sha256: string, signal: AbortSignal): Promise<ReadableStream<Uint8Array> | undefined>
}
