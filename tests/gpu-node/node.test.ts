import { afterAll, afterEach, beforeAll, expect, test } from 'bun:test'
import { jetstreamManager } from '@nats-io/jetstream'
import { Kvm } from '@nats-io/kv'
import { Ended } from '@oriel/protocol/fact'
import { Manifest } from '@oriel/protocol/manifest'
import { NodeStatus } from '@oriel/protocol/node-status'
import { cancelSubject, deadSubject, endedSubject, MODELS, modelKey, NODES } from '@oriel/protocol/subjects'
import * as v from 'valibot'
import { TestBroker } from './broker.ts'
import { TestClient, textOf, typesOf } from './client.ts'
import { NodeProcess } from './node-process.ts'

const WORDS = Array.from({ length: 40 }, (_, index) => `word${index} `).join('')

let broker: TestBroker
let client: TestClient
const nodes: NodeProcess[] = []

function start(name: string, env: Record<string, string> = {}): NodeProcess {
  const node = new NodeProcess(broker, name, env)
  nodes.push(node)
  return node
}

async function lastOn(stream: string, subject: string) {
  return (await jetstreamManager(client.nc)).streams.getMessage(stream, { last_by_subj: subject })
}

beforeAll(async () => {
  broker = await TestBroker.start(2)
  client = new TestClient(await broker.connect())
})
afterEach(async () => {
  for (const node of nodes.splice(0)) await node[Symbol.asyncDispose]()
})
afterAll(async () => {
  await client.nc.close()
  await broker[Symbol.asyncDispose]()
})

test('a job becomes a log, a fact, and nothing in the queue', async () => {
  start('node-a')
  const id = await client.submit(WORDS)
  const events = await client.ended(id)
  expect(events[0]).toMatchObject({ n: 1, type: 'started', node: 'node-a', attempt: 1 })
  expect(textOf(events)).toBe(WORDS)
  expect(typesOf(events).at(-1)).toBe('completed')
  expect(await client.stored(id)).toEqual(events)
  const fact = v.parse(Ended, await waitFor(async () => (await lastOn('HISTORY', endedSubject(id)))?.json()))
  expect(fact).toMatchObject({ id, status: 'completed', part: 0, parts: 1, events })
  await waitFor(async () => (await client.queued()) === 0)
})

test('a node killed in the middle is continued by another, word for word', async () => {
  const first = start('node-a')
  const id = await client.submit(WORDS, { parameters: { tokensPerSecond: 20 } })
  await client.until(id, (events) => textOf(events).length > 60)
  await first.kill('SIGKILL')
  start('node-b')
  const events = await client.ended(id)
  expect(textOf(events)).toBe(WORDS)
  expect(events.map(({ n }) => n)).toEqual(events.map((_, index) => index + 1))
  expect(events.filter(({ type }) => type === 'started')).toMatchObject([
    { node: 'node-a', attempt: 1 },
    { node: 'node-b', attempt: 2 },
  ])
}, 60_000)

/** Asks again until the broker has it: what a node tells after the log has ended is not announced to anyone. */
async function waitFor<T>(ask: () => Promise<T | undefined | false | null>): Promise<T> {
  for (;;) {
    const answer = await ask()
    if (answer) return answer
    await Bun.sleep(20)
  }
}
