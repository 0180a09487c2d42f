import { SignJWT } from 'jose'
import { AUDIENCE, ISSUER } from './worker-settings.ts'

/** A development token: whoever has it is `user`. @param lifetimeS seconds; negative for one that has expired */
export function signToken(secret: string, user: string, lifetimeS = 24 * 60 * 60): Promise<string> {
  const now = Math.floor(Date.now() / 1000)
  return new SignJWT()
    .setProtectedHeader({ alg: 'HS256' })
    .setIssuer(ISSUER)
    .setAudience(AUDIENCE)
    .setSubject(user)
    .setIssuedAt(now)
    .setExpirationTime(now + lifetimeS)
    .sign(new TextEncoder().encode(secret))
}
