import { MAX_PARTS } from '@oriel/protocol/model-registry'
import { ProblemError } from '@oriel/protocol/problem'

interface Size {
  readonly bytes: number
  readonly partBytes: number
}

/** How many parts a file has: an empty one has one, which is empty. */
export const partCount = ({ bytes, partBytes }: Size): number => Math.max(1, Math.ceil(bytes / partBytes))

/** Bytes of a part; all but the last are alike. `undefined`: there is no such part. */
export function bytesOfPart(size: Size, number: number): number | undefined {
  const count = partCount(size)
  if (!Number.isInteger(number) || number < 1 || number > count) return undefined
  return number < count ? size.partBytes : size.bytes - (count - 1) * size.partBytes
}

/** @throws ProblemError invalid-request when the file would have too many parts */
export function checkPartCount(size: Size): void {
  if (partCount(size) <= MAX_PARTS) return
  const least = Math.ceil(size.bytes / MAX_PARTS)
  const detail = `The body is not valid: partBytes: a file may have ${MAX_PARTS} parts; ${least} bytes are the least.`
  throw new ProblemError({ kind: 'invalid-request', detail })
}
