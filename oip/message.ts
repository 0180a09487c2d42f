import { ProblemError } from '@oriel/protocol/problem'

/** How many bytes of the body are JSON; the rest is tensors in binary, one after another. */
export const HEADER_LENGTH = 'Inference-Header-Content-Length'

/** A body that came in. Without `headerLength` all of it is JSON. */
export type Message = { body: Uint8Array; headerLength?: number }

/** A body to send. Text where nothing is binary: the runtime encodes it faster than we could. */
export type Encoded = { body: string | Uint8Array<ArrayBuffer>; headerLength?: number }

/** The value of the header `HEADER_LENGTH`. @throws ProblemError invalid-request */
export function parseHeaderLength(value: string | null | undefined): number | undefined {
  if (value === null || value === undefined) return undefined
  if (!/^[0-9]{1,15}$/.test(value)) refuse(`${HEADER_LENGTH} must be a number of bytes.`)
  return Number(value)
}

// A byte order mark is not JSON, and in a string it is text: neither is to vanish.
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** @throws ProblemError invalid-request, when the header is longer than the body or is not UTF-8 */
export function splitMessage({ body, headerLength }: Message): { json: string; tail: Uint8Array } {
  const length = headerLength ?? body.byteLength
  if (length > body.byteLength) {
    refuse(`${HEADER_LENGTH} is ${length}, but the body has only ${body.byteLength} bytes.`)
  }
  return { json: decodeText(body.subarray(0, length), 'The JSON'), tail: body.subarray(length) }
}

/** @throws ProblemError invalid-request */
export function decodeText(bytes: Uint8Array, what: string): string {
  try {
    return utf8.decode(bytes)
  } catch (cause) {
    throw new ProblemError({ kind: 'invalid-request', detail: `${what} is not valid UTF-8.` }, { cause })
  }
}

const encoder = new TextEncoder()

/** JSON in front, then the binary tensors in the order in which the JSON names them. */
export function joinMessage(json: string, tails: readonly Uint8Array[]): Encoded {
  if (tails.length === 0) return { body: json }
  const head = encoder.encode(json)
  let size = head.byteLength
  for (const tail of tails) size += tail.byteLength
  const body = new Uint8Array(size)
  body.set(head)
  let at = head.byteLength
  for (const tail of tails) {
    body.set(tail, at)
    at += tail.byteLength
  }
  return { body, headerLength: head.byteLength }
}

/** What we encoded, as the other side reads it. */
export const received = ({ body, headerLength }: Encoded): Message => ({
  body: typeof body === 'string' ? encoder.encode(body) : body,
  ...(headerLength !== undefined && { headerLength }),
})

export function refuse(detail: string): never {
  throw new ProblemError({ kind: 'invalid-request', detail })
}
