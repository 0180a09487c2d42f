import { afterEach, beforeEach, expect, test } from 'bun:test'
import { jetstream, jetstreamManager } from '@nats-io/jetstream'
import { Kvm } from '@nats-io/kv'
import { connect } from '@nats-io/transport-node'
import { Dead } from '@oriel/protocol/dead'
import { isTerminal } from '@oriel/protocol/event'
import { Ended } from '@oriel/protocol/fact'
import { Manifest } from '@oriel/protocol/manifest'
import { NodeStatus } from '@oriel/protocol/node-status'
import { NODE_INBOX } from '@oriel/protocol/permissions'
import { cancelSubject, DELIVERY_HEADER, endedSubject, MODELS, modelKey, NODES } from '@oriel/protocol/subjects'
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

beforeEach(async () => {
  broker = await TestBroker.start(2)
  client = new TestClient(await broker.connect())
})
afterEach(async () => {
  for (const node of nodes.splice(0)) await node[Symbol.asyncDispose]()
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

test('a node that froze writes nothing when it wakes', async () => {
  const first = start('node-a')
  const id = await client.submit(WORDS, { parameters: { tokensPerSecond: 10 } })
  await client.until(id, (events) => textOf(events).length > 30)
  process.kill(first.pid, 'SIGSTOP')
  start('node-b')
  await client.until(id, (events) => events.some((event) => event.type === 'started' && event.attempt === 2))
  process.kill(first.pid, 'SIGCONT')
  await first.says('a run lost its log')
  const events = await client.ended(id)
  expect(textOf(events)).toBe(WORDS)
  expect(events.filter(({ type }) => type === 'started')).toHaveLength(2)
  expect(await client.stored(id)).toEqual(events)
}, 60_000)

test('a broker killed in the middle costs a pause and nothing else', async () => {
  const node = start('node-a')
  const ids = await Promise.all(
    Array.from({ length: 8 }, () => client.submit(WORDS, { parameters: { tokensPerSecond: 20 } })),
  )
  await Promise.all(ids.map((id) => client.until(id, (events) => textOf(events).length > 60)))
  await broker.down('SIGKILL')
  await node.says('the broker is away')
  await broker.up()
  await node.says('the broker is back')
  for (const id of ids) {
    const events = await waitFor(async () => {
      const stored = await client.stored(id).catch(() => [])
      return stored.some(isTerminal) && stored
    })
    expect(textOf(events)).toBe(WORDS)
    expect(events.map(({ n }) => n)).toEqual(events.map((_, index) => index + 1))
    // The node was never gone, so nobody took over.
    expect(events.filter(({ type }) => type === 'started')).toHaveLength(1)
    await waitFor(() => lastOn('HISTORY', endedSubject(id)))
  }
  await waitFor(async () => (await client.queued()) === 0)
  // And it still takes jobs, and hears cancellations.
  const id = await client.submit(WORDS, { parameters: { tokensPerSecond: 5 } })
  await waitFor(async () => (await client.stored(id)).length > 1)
  client.nc.publish(cancelSubject(id))
  await waitFor(async () => (await client.stored(id)).at(-1)?.type === 'cancelled')
}, 60_000)

test('a broker that lost its state is given the log again, and is served again', async () => {
  const node = start('node-a')
  await node.says('serving')
  const ended = await client.submit(WORDS)
  await client.ended(ended)
  const whole = await client.stored(ended)
  const id = await client.submit(WORDS, { parameters: { tokensPerSecond: 20 } })
  const seen = [...(await client.until(id, (events) => textOf(events).length > 60))]
  await broker.down('SIGKILL')
  broker.loseState()
  await broker.up()
  await broker.provision(2)
  await node.says('a log that the broker had lost was written again')
  // What the request's actor does when it finds that the broker has forgotten its job.
  await client.submit(WORDS, { id, dispatch: 2 })
  const events = await waitFor(async () => {
    const stored = await client.stored(id)
    return stored.some(isTerminal) && stored
  })
  expect(textOf(events)).toBe(WORDS)
  expect(events.slice(0, seen.length)).toEqual(seen)
  expect(events.map(({ n }) => n)).toEqual(events.map((_, index) => index + 1))
  // What had ended is there again, too, and the history was told.
  await waitFor(async () => (await client.stored(ended)).length === whole.length)
  expect(await client.stored(ended)).toEqual(whole)
  await waitFor(() => lastOn('HISTORY', endedSubject(ended)))
  await waitFor(async () => (await client.queued()) === 0)
  await waitFor(async () => (await (await new Kvm(client.nc).open(MODELS)).get(modelKey('parrot', '1'))) !== null)
  await waitFor(async () => (await (await new Kvm(client.nc).open(NODES)).get('node-a')) !== null)
}, 30_000)

test('a started event says where its job is acknowledged', async () => {
  start('node-a')
  const id = await client.submit(WORDS, { parameters: { tokensPerSecond: 5 } })
  await client.until(id, (events) => events.length > 1)
  const started = await (await jetstreamManager(client.nc)).streams.getMessage('PROGRESS', { seq: 1 })
  const delivery = started?.header.get(DELIVERY_HEADER) ?? ''
  expect(delivery).toStartWith('$JS.ACK.JOBS.partition-0-interactive.1.')
  // Whoever may, settles the job with it.
  await client.nc.request(delivery, '+TERM')
  expect(await client.queued()).toBe(0)
})

test('a cancellation ends a run at once', async () => {
  start('node-a')
  const id = await client.submit(WORDS, { parameters: { tokensPerSecond: 1 } })
  await client.until(id, (events) => events.length > 0)
  client.nc.publish(cancelSubject(id))
  expect(typesOf(await client.ended(id)).at(-1)).toBe('cancelled')
  await waitFor(async () => (await client.queued()) === 0)
})

test('a deadline ends a run', async () => {
  start('node-a')
  const id = await client.submit(WORDS, { parameters: { tokensPerSecond: 1 }, deadlineAt: Date.now() + 500 })
  expect(typesOf(await client.ended(id)).at(-1)).toBe('expired')
})

test('a node that drains finishes what it can and leaves nothing behind', async () => {
  const node = start('node-a')
  const ids = await Promise.all(
    Array.from({ length: 50 }, () => client.submit(WORDS, { parameters: { tokensPerSecond: 40 } })),
  )
  await Promise.all(ids.slice(0, 32).map((id) => client.until(id, (events) => events.length > 1)))
  const code = node.kill('SIGTERM')
  await node.says('draining')
  start('node-b')
  for (const id of ids) {
    const events = await client.ended(id)
    expect(textOf(events)).toBe(WORDS)
    expect(events.filter(({ type }) => type === 'started')).toHaveLength(1)
  }
  expect(await code).toBe(0)
  expect(await (await new Kvm(client.nc).open(NODES)).get('node-a')).toMatchObject({ operation: 'DEL' })
}, 30_000)

test('what a draining node cannot finish goes on elsewhere at once', async () => {
  const node = start('node-a', { ORIEL_DRAIN_MS: '0' })
  const id = await client.submit(WORDS, { parameters: { tokensPerSecond: 20 } })
  await client.until(id, (events) => textOf(events).length > 60)
  expect(await node.kill('SIGTERM')).toBe(0)
  const handedBackAt = (await client.stored(id)).length
  start('node-b')
  const events = await client.ended(id)
  expect(textOf(events)).toBe(WORDS)
  expect(events[handedBackAt]).toMatchObject({ type: 'started', node: 'node-b', attempt: 1 })
}, 30_000)

test('a node whose parent dies drains', async () => {
  const node = start('node-a', { ORIEL_EXIT_WITH_PARENT: '1' })
  await node.says('serving')
  node.closeStdin()
  expect(await node.exited).toBe(0)
})

test('a second signal ends a node at once', async () => {
  const node = start('node-a')
  const id = await client.submit(WORDS, { parameters: { tokensPerSecond: 2 } })
  await client.until(id, (events) => events.length > 1)
  process.kill(node.pid, 'SIGTERM')
  await node.says('draining')
  expect(await node.kill('SIGTERM')).toBe(1)
})

test('a message that is no job is kept in DEAD and leaves the queue', async () => {
  start('node-a')
  await jetstream(client.nc).publish('jobs.1.batch.parrot', 'not a job')
  await waitFor(async () => (await client.queued()) === 0)
  const kept = await lastOn('DEAD', 'dead.parrot.*')
  expect(v.parse(Dead, kept?.json())).toMatchObject({ message: 'not a job', deliveries: 1 })
})

test('a run that fails is tried again after a while, and goes on from where it failed', async () => {
  start('node-a')
  const id = await client.submit(WORDS, { parameters: { failures: 2 } })
  const events = await client.ended(id)
  expect(textOf(events)).toBe(WORDS)
  const starts = events.flatMap((event) => (event.type === 'started' ? [event.at] : []))
  expect(starts).toHaveLength(3)
  const [first = 0, second = 0, third = 0] = starts
  // Half of 500 ms and of 1 s at least, by the broker's clock.
  expect(second - first).toBeGreaterThanOrEqual(240)
  expect(third - second).toBeGreaterThanOrEqual(490)
  await waitFor(async () => (await client.queued()) === 0)
  expect(await lastOn('DEAD', `dead.parrot.${id}`)).toBeNull()
})

test('a node and its models are known while it lives', async () => {
  start('node-a', { ORIEL_SLOTS: '3' })
  const kvm = new Kvm(client.nc)
  const nodes = await kvm.open(NODES)
  const models = await kvm.open(MODELS)
  const beat = await waitFor(async () => {
    const entry = await nodes.get('node-a')
    return entry?.operation === 'PUT' && v.parse(NodeStatus, entry.json())
  })
  expect(beat).toMatchObject({ node: 'node-a', slots: 3, models: [{ name: 'parrot', state: 'loaded' }] })
  const manifest = await waitFor(async () => (await models.get(modelKey('parrot', '1')))?.json())
  expect(v.parse(Manifest, manifest).engine).toBe('text-generation')
})

test('a job never waits inside a node that has no free slot', async () => {
  start('node-a', { ORIEL_SLOTS: '2' })
  const parameters = { tokensPerSecond: 4 }
  const ids = await Promise.all(Array.from({ length: 3 }, () => client.submit('one two three four', { parameters })))
  await Promise.race(ids.map((id) => client.until(id, (events) => events.length > 1)))
  const jsm = await jetstreamManager(client.nc)
  expect((await jsm.consumers.info('JOBS', 'partition-0-interactive')).num_ack_pending).toBe(2)
  await Promise.all(ids.map((id) => client.ended(id)))
})

test('a node may not send jobs, cancel, or write the plan', async () => {
  const nc = await connect({ servers: broker.url, user: 'node', pass: 'node', inboxPrefix: NODE_INBOX })
  const forbidden = ['jobs.0.interactive.parrot', 'control.cancel.x', '$KV.placement.plan', 'history.accepted.x']
  for (const subject of [...forbidden, '$JS.API.STREAM.DELETE.JOBS', '$JS.API.STREAM.PURGE.PROGRESS']) {
    await expect(nc.request(subject, '{}')).rejects.toThrow(/permission/i)
  }
  await nc.close()
})

/** Asks again until the broker has it: what a node tells after the log has ended is not announced to anyone. */
async function waitFor<T>(ask: () => Promise<T | undefined | false | null>): Promise<T> {
  for (;;) {
    const answer = await ask()
    if (answer) return answer
    await Bun.sleep(20)
  }
}
