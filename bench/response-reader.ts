export interface PlainResponse {
  readonly status: number
  /** Without the sizes of its chunks, if it came in chunks. */
  readonly body: string
}

/** Reads HTTP/1.1 responses off a connection on which one comes at a time. Enough for servers that we race, no more. */
export class ResponseReader {
  #rest = ''

  /** @returns the response, when it is whole */
  push(chunk: Uint8Array): PlainResponse | undefined {
    this.#rest += Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength).toString('latin1')
    const end = this.#rest.indexOf('\r\n\r\n')
    if (end < 0) return undefined
    const head = this.#rest.slice(0, end)
    const body = bodyOf(head, this.#rest.slice(end + 4))
    if (body === undefined) return undefined
    this.#rest = ''
    return { status: Number(head.slice(9, 12)), body }
  }
}

function bodyOf(head: string, rest: string): string | undefined {
  const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1]
  if (length !== undefined) return rest.length >= Number(length) ? rest : undefined
  if (!/\r\ntransfer-encoding: *chunked/i.test(head)) return ''
  let [body, at] = ['', 0]
  for (;;) {
    const line = rest.indexOf('\r\n', at)
    if (line < 0) return undefined
    const size = Number.parseInt(rest.slice(at, line), 16)
    if (size === 0) return rest.length >= line + 4 ? body : undefined
    if (rest.length < line + 2 + size + 2) return undefined
    body += rest.slice(line + 2, line + 2 + size)
    at = line + 2 + size + 2
  }
}
