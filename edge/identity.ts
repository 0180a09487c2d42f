import { ProblemError } from '@oriel/protocol/problem'
import type { JWTPayload, JWTVerifyGetKey } from 'jose'
import { createRemoteJWKSet, errors, jwtVerify, SignJWT } from 'jose'
import * as v from 'valibot'
import { KEY_WORD } from './api-key.ts'
import type { Caller, Scope } from './caller.ts'
import { scopesIn, UserName } from './caller.ts'
import type { Settings } from './env.ts'
import type { KeyRing } from './key-ring.ts'

/** Of an events token: it opens one request's events and nothing else. */
const EVENTS_AUDIENCE = 'oriel:events'
const CLOCK_SKEW_S = 5
/** How long a token that was checked is not checked again: a key that its provider takes back works this much longer. */
const VERIFIED_MS = 15_000
const MAX_VERIFIED = 10_000

/** Who is calling: JWTs of the identity provider, keys of programs, and the edge's own tokens for events URLs. */
export class Identity {
  readonly #settings: Settings
  readonly #key: { jwks: JWTVerifyGetKey } | { secret: Uint8Array }
  readonly #eventsKey: Uint8Array
  readonly #keyRing: KeyRing
  readonly #verified = new Map<string, { readonly caller: Caller; readonly until: number }>()

  constructor(settings: Settings, keyRing: KeyRing) {
    this.#keyRing = keyRing
    this.#settings = settings
    this.#key = settings.AUTH_JWKS_URL
      ? { jwks: createRemoteJWKSet(new URL(settings.AUTH_JWKS_URL)) }
      : { secret: new TextEncoder().encode(settings.AUTH_SECRET) }
    this.#eventsKey = new TextEncoder().encode(settings.EVENTS_SECRET)
  }

  /**
   * Who sent an `Authorization` header.
   * @throws ProblemError unauthenticated, saying what is wrong with the token; unavailable without its keys
   */
  async caller(authorization: string | undefined): Promise<Caller> {
    const token = /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1]
    if (!token) throw unauthenticated('Send `Authorization: Bearer <token>`.')
    if (token.startsWith(KEY_WORD)) return this.#keyRing.caller(token)
    const known = this.#verified.get(token)
    if (known && Date.now() < known.until) return known.caller
    const { AUTH_ISSUER: issuer, AUTH_AUDIENCE: audience } = this.#settings
    const common = { issuer, audience, clockTolerance: CLOCK_SKEW_S, requiredClaims: ['sub', 'exp'] }
    const verify = async () =>
      'jwks' in this.#key
        ? (await jwtVerify(token, this.#key.jwks, { ...common, algorithms: ['RS256', 'ES256'] })).payload
        : (await jwtVerify(token, this.#key.secret, { ...common, algorithms: ['HS256'] })).payload
    const payload = await verified(verify)
    const caller = { user: subject(payload), scopes: scopesOf(payload) }
    this.#remember(token, caller, payload)
    return caller
  }

  /** Not beyond its expiry: what comes after that is for the check to refuse. */
  #remember(token: string, caller: Caller, { exp = 0 }: JWTPayload): void {
    if (this.#verified.size >= MAX_VERIFIED) this.#verified.clear()
    this.#verified.set(token, { caller, until: Math.min(exp * 1_000, Date.now() + VERIFIED_MS) })
  }

  /** A token for one request's events, until `expiresAt` (ms since the epoch). */
  eventsToken(user: string, requestID: string, expiresAt: number): Promise<string> {
    return new SignJWT({ rid: requestID })
      .setProtectedHeader({ alg: 'HS256' })
      .setSubject(user)
      .setAudience(EVENTS_AUDIENCE)
      .setExpirationTime(Math.ceil(expiresAt / 1000))
      .sign(this.#eventsKey)
  }

  /** @throws ProblemError unauthenticated, also for another request's token */
  async userOfEventsToken(token: string, requestID: string): Promise<string> {
    const options = { audience: EVENTS_AUDIENCE, algorithms: ['HS256'], requiredClaims: ['sub', 'exp'] }
    const payload = await verified(async () => (await jwtVerify(token, this.#eventsKey, options)).payload)
    if (payload.rid !== requestID) throw unauthenticated('The token is for another request.')
    return subject(payload)
  }
}

async function verified(verify: () => Promise<JWTPayload>): Promise<JWTPayload> {
  try {
    return await verify()
  } catch (cause) {
    if (cause instanceof errors.JWTExpired) throw unauthenticated('The token has expired.', cause)
    if (cause instanceof errors.JWTClaimValidationFailed) {
      throw unauthenticated(`The token's claim ${cause.claim} is not right.`, cause)
    }
    const ofKeys = cause instanceof errors.JWKSTimeout || cause instanceof errors.JWKSInvalid
    // jose throws its base class when the provider answers with anything but keys.
    const generic = cause instanceof errors.JOSEError && cause.code === 'ERR_JOSE_GENERIC'
    if (ofKeys || generic || !(cause instanceof errors.JOSEError)) {
      const detail = 'The keys of the identity provider cannot be read.'
      throw new ProblemError({ kind: 'unavailable', detail, retryAfterMs: 2_000 }, { cause })
    }
    throw unauthenticated('The token is not valid.', cause)
  }
}

function subject({ sub }: JWTPayload): string {
  const user = v.safeParse(UserName, sub)
  if (!user.success) throw unauthenticated("The token's claim sub is not right.")
  return user.output
}

/** People may always look after their own keys; what else they may is in the claim (RFC 8693, 4.2). */
function scopesOf({ scope }: JWTPayload): ReadonlySet<Scope> {
  return new Set<Scope>(['keys', ...scopesIn(typeof scope === 'string' ? scope : '')])
}

const unauthenticated = (detail: string, cause?: unknown) =>
  new ProblemError({ kind: 'unauthenticated', detail }, { cause })
