import type { Datatype } from '@oriel/protocol/manifest'
import type { NamedTensor, TensorValues } from '@oriel/protocol/tensor'
import { bytesOfValues, bytesPerValue, countOf, valuesOfBytes } from '@oriel/protocol/tensor'
import { decodeText, refuse } from './message.ts'

/**
 * The values of a tensor in binary: little-endian, row-major; a text is its length in four bytes and its UTF-8.
 * Numbers lie over the same memory where they are aligned.
 *
 * @throws ProblemError invalid-request, naming the tensor
 */
export function valuesOfBinary(
  name: string,
  datatype: Datatype,
  shape: readonly number[],
  bytes: Uint8Array,
): TensorValues {
  const count = countOf(shape)
  if (datatype === 'BYTES') return texts(name, count, bytes)
  const size = count * bytesPerValue(datatype)
  if (bytes.byteLength !== size) {
    wrong(name, `shape [${shape}] of ${datatype} has ${size} bytes, and binary_data_size is ${bytes.byteLength}`)
  }
  if (datatype === 'BOOL' && bytes.some((byte) => byte > 1)) wrong(name, 'a BOOL is a byte of 0 or 1')
  return valuesOfBytes(datatype, bytes)
}

function texts(name: string, count: number, bytes: Uint8Array): string[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const values: string[] = []
  let at = 0
  while (at < bytes.byteLength) {
    if (at + 4 > bytes.byteLength) wrong(name, 'the last length is cut off')
    const end = at + 4 + view.getUint32(at, true)
    if (end > bytes.byteLength) wrong(name, 'a text is longer than what is left of the tensor')
    values.push(decodeText(bytes.subarray(at + 4, end), `A text of tensor ${JSON.stringify(name)}`))
    at = end
  }
  if (values.length !== count) wrong(name, `its shape needs ${count} texts, and it has ${values.length}`)
  return values
}

const encoder = new TextEncoder()

/** Numbers over the same memory. */
export function binaryOfValues({ values }: NamedTensor): Uint8Array {
  if (ArrayBuffer.isView(values)) return bytesOfValues(values)
  const encoded = values.map((text) => encoder.encode(text))
  const bytes = new Uint8Array(encoded.reduce((size, text) => size + 4 + text.byteLength, 0))
  const view = new DataView(bytes.buffer)
  let at = 0
  for (const text of encoded) {
    view.setUint32(at, text.byteLength, true)
    bytes.set(text, at + 4)
    at += 4 + text.byteLength
  }
  return bytes
}

function wrong(name: string, rule: string): never {
  refuse(`Tensor ${JSON.stringify(name)}: ${rule}.`)
}
