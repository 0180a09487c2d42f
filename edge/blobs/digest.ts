// The tests' types have the browser's `crypto`, which cannot digest a stream.
const { DigestStream: Digest } = crypto as Crypto & { readonly DigestStream: typeof DigestStream }

/** SHA-256 of a stream, hex, and its length. */
export async function digestOf(body: ReadableStream<Uint8Array>): Promise<{ sha256: string; bytes: number }> {
  const digest = new Digest('SHA-256')
  await body.pipeTo(digest)
  const hash = new Uint8Array(await digest.digest)
  const sha256 = Array.from(hash, (byte) => byte.toString(16).padStart(2, '0')).join('')
  return { sha256, bytes: Number(digest.bytesWritten) }
}
