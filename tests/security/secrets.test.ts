import { expect, test } from 'bun:test'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join, relative } from 'node:path'
import { commandLine, descendants } from '@oriel/dev/process-table'
import { readSecrets } from '@oriel/dev/secrets'
import { StateDir } from '@oriel/dev/state-dir'
import { Client, typesOf } from '../support/client.ts'
import { useStack } from '../support/stack.ts'

// A stack is used and broken in many ways; then everything it has said, written and been started with is searched.

const stack = useStack()
const iris = { input: { features: [5.1, 3.5, 1.4, 0.2] } }
/** The files that are there to hold the stack's own secrets. Nobody else may read them. */
const KEPT_IN = ['secrets.json', 'nats-server.conf']

const answers: string[] = []
const handedOut = new Map<string, string>()

/** A client whose every answer is kept, but for the one that hands out a secret on purpose. */
class Listener extends Client {
  override async send(path: string, init: Parameters<Client['send']>[1] = {}): Promise<Response> {
    const response = await super.send(path, init)
    const headers = JSON.stringify([...response.headers])
    const text = await response.text()
    answers.push(headers, text.replaceAll(/"(key|eventsURL)":"[^"]*"/g, ''))
    return new Response(response.status === 204 ? null : text, response)
  }
}

const filesUnder = (dir: string): string[] =>
  readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))

function everySecret(): Map<string, string> {
  const { nats, ...others } = readSecrets(new StateDir(stack.stack.stateDir))
  return new Map([
    ...Object.entries(nats).map(([who, secret]) => [`the password of ${who}`, secret] as const),
    ...Object.entries(others).map(([what, secret]) => [`the secret of ${what}`, secret] as const),
    ...handedOut,
  ])
}

/** What of `secrets` is in `text`; of a token its signature is enough. */
const found = (text: string, secrets: ReadonlyMap<string, string>): string[] =>
  [...secrets].flatMap(([what, secret]) => (text.includes(secret.slice(secret.lastIndexOf('.') + 1)) ? [what] : []))

async function useAndBreak(): Promise<void> {
  const token = await stack.stack.token('alice')
  const expired = await stack.stack.token('alice', { lifetimeS: -60 })
  handedOut.set('a token', token).set('an expired token', expired)
  const alice = new Listener(stack.url, token)

  const { requestID, eventsURL } = await alice.submit('iris', iris)
  handedOut.set('an events token', new URL(eventsURL).searchParams.get('token') ?? '')
  await alice.follow(requestID)
  const made = await alice.send('/keys', {
    method: 'POST',
    body: JSON.stringify({ name: 'a program' }),
    headers: { 'Content-Type': 'application/json' },
  })
  const { key } = (await made.json()) as { key: string }
  handedOut.set('an API key', key)
  const program = new Listener(stack.url, key)
  expect(typesOf(await program.follow((await program.submit('iris', iris)).requestID)).at(-1)).toBe('completed')

  // Refusals, also of credentials that are nearly right, and in places where they do not belong.
  for (const bearer of [expired, `${token}x`, `${key}x`, key.slice(0, -1)]) {
    expect((await new Listener(stack.url, bearer).send('/requests')).status).toBe(401)
  }
  await alice.send(`/requests/${requestID}/events?token=${token}`)
  // A problem names the path that was asked for: that answer repeats what the caller wrote, and no log may.
  await new Client(stack.url, token).send(`/requests/${encodeURIComponent(token)}`)
  await alice.send(`/requests?nextCursor=${token}`)
  await alice.post('iris', { input: {}, requestID: token })
  await alice.post(token, iris)

  // Every part dies or is away for a while, with requests under way.
  const story = { input: 'Once', parameters: { maxTokens: 40, tokensPerSecond: 20 } }
  for (const part of ['node', 'host', 'nats', 'edge', 'recorder', 'planner'] as const) {
    const { requestID } = await new Client(stack.url, token).submit('storyteller', story)
    await stack.kill(part)
    await new Client(stack.url, token).follow(requestID)
    await stack.stack.ready()
  }
  await stack.without('postgres', async () => {
    expect((await alice.send('/keys')).status).toBe(503)
    await alice.send('/requests')
    await fetch(`${stack.url}/readyz`).then(async (response) => answers.push(await response.text()))
  })
}

test('secrets and credentials are where they belong and nowhere else', async () => {
  await useAndBreak()
  const secrets = everySecret()
  const dir = stack.stack.stateDir
  expect(secrets.size).toBe(10 + 4)

  expect(answers.length).toBeGreaterThan(20)
  for (const answer of answers) expect(found(answer, secrets), answer).toEqual([])

  const family = descendants(process.pid)
  expect(family.length).toBeGreaterThan(5)
  const programs = family.map(({ pid }) => ({ program: commandLine(pid), secrets: found(commandLine(pid), secrets) }))
  expect(programs.filter(({ secrets }) => secrets.length > 0)).toEqual([])

  // Logs, and all that the broker, the database and the actors have on disk.
  const files = filesUnder(dir)
  expect(files.filter((file) => file.endsWith('.log')).length).toBeGreaterThanOrEqual(5)
  const leaks = files.flatMap((file) => {
    const what = found(readFileSync(file, 'latin1'), secrets)
    return what.length > 0 ? [{ file: relative(dir, file), what }] : []
  })
  expect(leaks.filter(({ file }) => !KEPT_IN.includes(file))).toEqual([])
  // The search does find what is there, and others may not look into it.
  expect(leaks.map(({ file }) => file).sort()).toEqual([...KEPT_IN].sort())
  for (const file of KEPT_IN) expect(statSync(join(dir, file)).mode & 0o077).toBe(0)
}, 180_000)
