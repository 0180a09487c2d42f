import { ProblemError } from '@oriel/protocol/problem'
import { refuse } from './message.ts'

export type BodyLimits = {
  /** Of a request, unpacked. */
  maxBodyBytes: number
  /** Asked before a packed body grows by so many bytes beyond its length in the header; throws to refuse it. */
  reserve?(request: Request, bytes: number): void
}

const DECODERS: Readonly<Record<string, 'gzip' | 'deflate'>> = { gzip: 'gzip', deflate: 'deflate' }

/**
 * The body of a request, unpacked if it came packed. Never holds more than it may, whatever the header says and
 * however well the body was packed.
 *
 * @throws ProblemError too-large, invalid-request, and what `reserve` throws
 */
export async function readBody(request: Request, limits: BodyLimits): Promise<Uint8Array> {
  const { maxBodyBytes: maxBytes } = limits
  const encoding = request.headers.get('Content-Encoding')?.trim().toLowerCase() || 'identity'
  const declared = request.headers.get('Content-Length')
  if (declared !== null) check(Number(declared), maxBytes)
  if (encoding === 'identity') {
    // The server has seen to it that a body is as long as it says.
    if (declared !== null) return new Uint8Array(await request.arrayBuffer())
    return request.body ? collect(request.body, (size) => check(size, maxBytes)) : new Uint8Array()
  }
  const format = Object.hasOwn(DECODERS, encoding) ? DECODERS[encoding] : undefined
  if (!format) refuse('Content-Encoding must be gzip, deflate or identity.')
  if (!request.body) return new Uint8Array()
  let reserved = declared === null ? maxBytes : Number(declared)
  const grow = (size: number) => {
    check(size, maxBytes)
    if (size <= reserved) return
    limits.reserve?.(request, size - reserved)
    reserved = size
  }
  try {
    return await collect(request.body.pipeThrough(new DecompressionStream(format)), grow)
  } catch (cause) {
    if (cause instanceof ProblemError) throw cause
    throw new ProblemError({ kind: 'invalid-request', detail: `The body is not valid ${format}.` }, { cause })
  }
}

/** @param grow told the size that it has with the next piece; throws to stop */
async function collect(stream: ReadableStream<Uint8Array>, grow: (size: number) => void): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let size = 0
  // Leaving the loop early cancels the stream, so that nothing more is unpacked.
  for await (const chunk of stream) {
    size += chunk.byteLength
    grow(size)
    chunks.push(chunk)
  }
  const body = new Uint8Array(size)
  let at = 0
  for (const chunk of chunks) {
    body.set(chunk, at)
    at += chunk.byteLength
  }
  return body
}

function check(size: number, maxBytes: number): void {
  if (size > maxBytes) tooLarge(maxBytes)
}

function tooLarge(maxBytes: number): never {
  throw new ProblemError({ kind: 'too-large', detail: `The body may have ${maxBytes} bytes at most.` })
}
