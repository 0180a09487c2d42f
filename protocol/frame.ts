import { ProblemError } from './problem.ts'

/**
 * A head of ours and a message of the Open Inference Protocol in one payload of the broker: two lengths of four bytes
 * (little-endian), the head as JSON, the message's JSON, and what is left are its tensors in binary.
 */
export interface Frame {
  readonly head: unknown
  readonly message: { readonly body: Uint8Array; readonly headerLength: number }
}

const PREFIX = 8
const encoder = new TextEncoder()
const decoder = new TextDecoder()

/** @param headerLength bytes of `body` that are JSON; all of it unless given */
export function packFrame(head: object, body: string | Uint8Array, headerLength?: number): Uint8Array<ArrayBuffer> {
  const headBytes = encoder.encode(JSON.stringify(head))
  const bodyBytes = typeof body === 'string' ? encoder.encode(body) : body
  const frame = new Uint8Array(PREFIX + headBytes.byteLength + bodyBytes.byteLength)
  const lengths = new DataView(frame.buffer)
  lengths.setUint32(0, headBytes.byteLength, true)
  lengths.setUint32(4, headerLength ?? bodyBytes.byteLength, true)
  frame.set(headBytes, PREFIX)
  frame.set(bodyBytes, PREFIX + headBytes.byteLength)
  return frame
}

/** Over the same memory. @throws ProblemError invalid-request */
export function openFrame(frame: Uint8Array): Frame {
  if (frame.byteLength < PREFIX) refuse()
  const lengths = new DataView(frame.buffer, frame.byteOffset)
  const headLength = lengths.getUint32(0, true)
  const headerLength = lengths.getUint32(4, true)
  if (PREFIX + headLength + headerLength > frame.byteLength) refuse()
  const body = frame.subarray(PREFIX + headLength)
  return { head: parse(frame.subarray(PREFIX, PREFIX + headLength)), message: { body, headerLength } }
}

function parse(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(decoder.decode(bytes))
  } catch (cause) {
    refuse(cause)
  }
}

function refuse(cause?: unknown): never {
  throw new ProblemError({ kind: 'invalid-request', detail: 'The message is not a frame.' }, { cause })
}
