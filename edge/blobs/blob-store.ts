export interface Part {
  /** 1, 2, 3 … */
  readonly number: number
  /** As `putPart` told it. */
  readonly etag: string
}

/**
 * Where the files of models lie, each under a key. A file comes in parts, in any order and at any time, and is there
 * when they are put together. Bodies are streamed: no file is ever whole in memory.
 */
export interface BlobStore {
  /** Opens an upload. @returns its handle */
  begin(key: string): Promise<string>
  /**
   * Takes a part, also one that is there already: the last counts.
   * @param bytes how many the body must have
   * @returns what to put it together by
   * @throws when the body breaks off or has another length, and then the part is not there
   */
  putPart(key: string, handle: string, number: number, body: ReadableStream<Uint8Array>, bytes: number): Promise<string>
  /** Puts the file together, in the order given; until then there is nothing under the key. */
  complete(key: string, handle: string, parts: readonly Part[], bytes: number): Promise<void>
  /** Drops an upload with its parts; one that is over already changes nothing. */
  abort(key: string, handle: string): Promise<void>
  /** Bytes of a file; `undefined` when there is none. */
  size(key: string): Promise<number | undefined>
  read(key: string): Promise<ReadableStream<Uint8Array> | undefined>
  delete(key: string): Promise<void>
}
