import { ProblemError } from '@oriel/protocol/problem'

const ID_BYTES = 16
const CHECK_BYTES = 4

/**
 * A place in a user's history: the next page begins after the request `id`. Opaque to the client, but not a
 * secret: the check tells a cursor that was cut, mistyped or given to another user, and the query asks for
 * the user's own rows anyway.
 */
export function encodeCursor(user: string, id: string): string {
  const bytes = new Uint8Array(ID_BYTES + CHECK_BYTES)
  bytes.set(Uint8Array.from(id.replaceAll('-', '').match(/../g) ?? [], (hex) => Number.parseInt(hex, 16)))
  new DataView(bytes.buffer).setUint32(ID_BYTES, check(user, bytes.subarray(0, ID_BYTES)))
  return toBase64Url(bytes)
}

/** @throws ProblemError invalid-cursor, for anything that `encodeCursor` did not make for this user */
export function decodeCursor(user: string, cursor: string): string {
  const bytes = fromBase64Url(cursor)
  if (bytes?.length !== ID_BYTES + CHECK_BYTES) throw invalid()
  const hex = Array.from(bytes.subarray(0, ID_BYTES), (byte) => byte.toString(16).padStart(2, '0')).join('')
  const id = hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
  // Encoding again also refuses the other spellings that base64 allows for the same bytes.
  if (encodeCursor(user, id) !== cursor) throw invalid()
  return id
}

/** FNV-1a, 32 bits, over what the cursor is for, whose it is, and its place. */
function check(user: string, id: Uint8Array): number {
  let hash = 0x811c9dc5
  for (const byte of [...new TextEncoder().encode(`requests\0${user}\0`), ...id]) {
    hash = Math.imul(hash ^ byte, 0x01000193)
  }
  return hash >>> 0
}

const toBase64Url = (bytes: Uint8Array) =>
  btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replace('=', '')

function fromBase64Url(text: string): Uint8Array | undefined {
  // 20 bytes are 27 digits and one "="; leaving it out keeps the cursor plain in a query string.
  if (!/^[A-Za-z0-9_-]{27}$/.test(text)) return undefined
  return Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (char) => char.charCodeAt(0))
}

const invalid = () =>
  new ProblemError({
    kind: 'invalid-cursor',
    detail: 'nextCursor: not a cursor of your history. Leave it out to begin.',
  })
