import { sha256Hex } from './canonical.ts'

// `oriel_` and 48 letters of base64url: 256 random bits, and 32 of their SHA-256, which tell a mistyped key from an
// unknown one without asking anybody. The word in front lets scanners of public code find keys that got there.

export const KEY_WORD = 'oriel_'
const SECRET_BYTES = 32
const CHECK_BYTES = 4
const FORM = new RegExp(`^${KEY_WORD}[A-Za-z0-9_-]{48}$`)
/** So many letters are shown in lists; what they leave out has more than 200 bits. */
const PREFIX_CHARS = KEY_WORD.length + 8

export interface FreshKey {
  readonly key: string
  /** SHA-256, hex. Enough for a secret of 256 bits, which nobody can guess: slow hashes are for passwords. */
  readonly hash: string
  readonly prefix: string
}

export async function newKey(): Promise<FreshKey> {
  const bytes = new Uint8Array(SECRET_BYTES + CHECK_BYTES)
  crypto.getRandomValues(bytes.subarray(0, SECRET_BYTES))
  bytes.set(await checkOf(bytes), SECRET_BYTES)
  const key =
    KEY_WORD +
    btoa(String.fromCharCode(...bytes))
      .replaceAll('+', '-')
      .replaceAll('/', '_')
  return { key, hash: await sha256Hex(key), prefix: key.slice(0, PREFIX_CHARS) }
}

/** The key's hash; `undefined` when it was mistyped or cut. */
export async function hashOfKey(key: string): Promise<string | undefined> {
  if (!FORM.test(key)) return undefined
  const text = atob(key.slice(KEY_WORD.length).replaceAll('-', '+').replaceAll('_', '/'))
  const bytes = Uint8Array.from(text, (char) => char.charCodeAt(0))
  const check = await checkOf(bytes)
  return check.every((byte, at) => byte === bytes[SECRET_BYTES + at]) ? sha256Hex(key) : undefined
}

async function checkOf(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  const digest = await crypto.subtle.digest('SHA-256', bytes.slice(0, SECRET_BYTES))
  return new Uint8Array(digest, 0, CHECK_BYTES)
}
