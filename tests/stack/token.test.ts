import { expect, test } from 'bun:test'
import { decodeJwt } from 'jose'
import { Workplace } from './dev-process.ts'

test('token prints a token for the user and nothing else, also before any stack ran', async () => {
  await using place = new Workplace()
  const { code, out } = await place.run(['token', '--', 'alice'])
  expect(code).toBe(0)
  expect(out).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+\n$/)
  const { sub, iss, aud, exp = 0, iat = 0 } = decodeJwt(out.trim())
  expect({ sub, iss, aud }).toEqual({ sub: 'alice', iss: 'oriel-dev', aud: 'oriel' })
  expect(exp - iat).toBe(24 * 60 * 60)
})

test('a token can have scopes', async () => {
  await using place = new Workplace()
  const { code, out } = await place.run(['token', '--', 'oscar', '--scope', 'admin keys'])
  expect(code).toBe(0)
  expect(decodeJwt(out.trim())).toMatchObject({ sub: 'oscar', scope: 'admin keys' })
})

test('an option that there is not is told, and --help says which there are', async () => {
  await using place = new Workplace()
  expect(await place.run(['token', 'alice', '--scopes', 'admin'])).toMatchObject({ code: 2, out: '' })
  const { code, out } = await place.run(['token', '--help'])
  expect(code).toBe(0)
  expect(out).toContain('--scope')
})

test('without a user the usage goes to stderr', async () => {
  await using place = new Workplace()
  const { code, out, err } = await place.run(['token'])
  expect(code).toBe(2)
  expect(out).toBe('')
  expect(err).toContain('bun run token -- <user>')
})

test('two first calls at once agree on the secret', async () => {
  await using place = new Workplace()
  const tokens = await Promise.all([place.run(['token', 'alice']), place.run(['token', 'bob'])])
  const later = await place.run(['token', 'carol'])
  const head = (token: string) => token.split('.')[0]
  expect(tokens.map(({ code }) => code)).toEqual([0, 0])
  expect(new Set([...tokens, later].map(({ out }) => head(out))).size).toBe(1)
})
