import { expect, test } from 'bun:test'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { Identity } from './identity.ts'
import { noKeys, settings, tokenFor } from './testing.ts'

const identity = new Identity(settings, noKeys)
const callerOf = async (token: string) => identity.caller(`Bearer ${token}`)
const userOf = async (token: string) => (await callerOf(token)).user

test('the user is the subject of a good token', async () => {
  expect(await userOf(await tokenFor({ sub: 'alice' }))).toBe('alice')
})

test.each([
  [undefined, ['keys']],
  ['', ['keys']],
  ['openid admin profile', ['keys', 'admin']],
  ['administrator', ['keys']],
])('of the scopes of a token Oriel takes its own: %p', async (scope, scopes) => {
  const { scopes: taken } = await callerOf(await tokenFor(scope === undefined ? {} : { scope }))
  expect([...taken]).toEqual(scopes as typeof taken extends ReadonlySet<infer S> ? S[] : never)
})

test.each([
  ['no header', undefined, 'Send `Authorization: Bearer <token>`'],
  ['another scheme', 'Basic YWxpY2U6eA==', 'Send `Authorization: Bearer <token>`'],
  ['no JWT', 'Bearer abc', 'not valid'],
])('%s is refused', async (_what, header, detail) => {
  expect(identity.caller(header)).rejects.toThrow(detail)
})

test.each([
  ['expired', { exp: -60 }, 'expired'],
  ['not valid yet', { nbf: 60 }, 'nbf'],
  ['of another issuer', { iss: 'other' }, 'iss'],
  ['for another audience', { aud: 'other' }, 'aud'],
  ['without a user', { sub: '' }, 'sub'],
  ['for a user with a control character', { sub: 'a\u0000b' }, 'sub'],
  ['for a user with half a character', { sub: 'a\ud800b' }, 'sub'],
])('a token that is %s is refused', async (_what, claims, detail) => {
  expect(userOf(await tokenFor(claims))).rejects.toThrow(detail)
})

test('a forged token is refused, and so is one that names no algorithm', async () => {
  expect(userOf(await tokenFor({}, 'the secret of somebody else, long too'))).rejects.toThrow('not valid')
  const [, payload] = (await tokenFor({})).split('.')
  const none = `${btoa('{"alg":"none"}').replaceAll('=', '')}.${payload}.`
  expect(userOf(none)).rejects.toThrow('not valid')
})

test('an events token opens the one request it was made for, for a while', async () => {
  const token = await identity.eventsToken('alice', 'r1', Date.now() + 60_000)
  expect(await identity.userOfEventsToken(token, 'r1')).toBe('alice')
  expect(identity.userOfEventsToken(token, 'r2')).rejects.toThrow('another request')
  const old = await identity.eventsToken('alice', 'r1', Date.now() - 60_000)
  expect(identity.userOfEventsToken(old, 'r1')).rejects.toThrow('expired')
})

test('neither kind of token passes for the other', async () => {
  expect(userOf(await identity.eventsToken('alice', 'r1', Date.now() + 60_000))).rejects.toThrow()
  expect(identity.userOfEventsToken(await tokenFor({}), 'r1')).rejects.toThrow()
})

test.each(['RS256', 'ES256'])('keys of an identity provider: %s', async (alg) => {
  const { publicKey, privateKey } = await generateKeyPair(alg)
  const jwk = { ...(await exportJWK(publicKey)), kid: 'k1', alg }
  using provider = Bun.serve({ port: 0, hostname: '127.0.0.1', fetch: () => Response.json({ keys: [jwk] }) })
  const byKeys = new Identity({ ...settings, AUTH_JWKS_URL: `${provider.url}jwks.json` }, noKeys)
  const token = await new SignJWT({ sub: 'bob' })
    .setProtectedHeader({ alg, kid: 'k1' })
    .setIssuer(settings.AUTH_ISSUER)
    .setAudience(settings.AUTH_AUDIENCE)
    .setExpirationTime('1m')
    .sign(privateKey)
  expect((await byKeys.caller(`Bearer ${token}`)).user).toBe('bob')
  // The development secret is worth nothing once there is a provider.
  expect(byKeys.caller(`Bearer ${await tokenFor({})}`)).rejects.toThrow('not valid')
})

test.each([
  ['cannot be reached', undefined],
  ['is broken', () => new Response('no', { status: 500 })],
  ['answers with a page', () => new Response('<html>', { headers: { 'Content-Type': 'text/html' } })],
  ['answers with something else', () => Response.json({ hello: 'there' })],
])('a provider that %s is not the fault of the token', async (_what, fetch) => {
  using provider = fetch && Bun.serve({ port: 0, hostname: '127.0.0.1', fetch })
  const gone = new Identity(
    { ...settings, AUTH_JWKS_URL: `${provider?.url ?? 'http://127.0.0.1:1/'}jwks.json` },
    noKeys,
  )
  const { privateKey } = await generateKeyPair('ES256')
  const token = await new SignJWT({ sub: 'bob' }).setProtectedHeader({ alg: 'ES256', kid: 'k1' }).sign(privateKey)
  await expect(gone.caller(`Bearer ${token}`)).rejects.toMatchObject({ problem: { kind: 'unavailable' } })
})
