import { ProblemError } from '@oriel/protocol/problem'
import { refuse } from './message.ts'

const DECODERS: Readonly<Record<string, 'gzip' | 'deflate'>> = { gzip: 'gzip', deflate: 'deflate' }

/**
 * The body of a request, unpacked if it came packed. Never holds more than `maxBytes`, whatever the header says and
 * however well the body was packed.
 *
 * @throws ProblemError too-large, invalid-request
 */
export async function readBody(request: Request, maxBytes: number): Promise<Uint8Array> {
  const encoding = request.headers.get('Content-Encoding')?.trim().toLowerCase() || 'identity'
  const declared = request.headers.get('Content-Length')
  if (declared !== null && Number(declared) > maxBytes) tooLarge(maxBytes)
  if (encoding === 'identity') {
    // The server has seen to it that a body is as long as it says.
    if (declared !== null) return new Uint8Array(await request.arrayBuffer())
    return request.body ? collect(request.body, maxBytes) : new Uint8Array()
  }
  const format = Object.hasOwn(DECODERS, encoding) ? DECODERS[encoding] : undefined
  if (!format) refuse('Content-Encoding must be gzip, deflate or identity.')
  if (!request.body) return new Uint8Array()
  try {
    return await collect(request.body.pipeThrough(new DecompressionStream(format)), maxBytes)
  } catch (cause) {
    if (cause instanceof ProblemError) throw cause
    throw new ProblemError({ kind: 'invalid-request', detail: `The body is not valid ${format}.` }, { cause })
  }
}

async function collect(stream: ReadableStream<Uint8Array>, maxBytes: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let size = 0
  // Leaving the loop early cancels the stream, so that nothing more is unpacked.
  for await (const chunk of stream) {
    size += chunk.byteLength
    if (size > maxBytes) tooLarge(maxBytes)
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

function tooLarge(maxBytes: number): never {
  throw new ProblemError({ kind: 'too-large', detail: `The body may have ${maxBytes} bytes at most.` })
}
