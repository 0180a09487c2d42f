import { SignJWT } from 'jose'
import { AUDIENCE, ISSUER } from './worker-settings.ts'

export interface TokenOptions {
  /** Seconds; negative for one that has expired. */
  readonly lifetimeS?: number
  /** Scopes with spaces between them, such as `admin`. */
  readonly scope?: string
}

/** A development token: whoever has it is `user`. */
export function signToken(
  secret: string,
  user: string,
  { lifetimeS = 24 * 60 * 60, scope }: TokenOptions = {},
): Promise<string> {
  const now = Math.floor(Date.now() / 1000)
  return new SignJWT(scope === undefined ? {} : { scope })
    .setProtectedHeader({ alg: 'HS256' })
    .setIssuer(ISSUER)
    .setAudience(AUDIENCE)
    .setSubject(user)
    .setIssuedAt(now)
    .setExpirationTime(now + lifetimeS)
    .sign(new TextEncoder().encode(secret))
}
