import { expect, test } from 'bun:test'
import { DELIVERY_HEADER } from '@oriel/protocol/subjects'
import { Channels } from './channels.ts'
import { printEntry } from './log-entry.ts'
import { type Beat, Takeover } from './takeover.ts'

const ABOUT = { model: 'm', version: '1', lane: 'interactive' } as const
const delivery = (sequence: number) => `$JS.ACK.JOBS.partition-0-interactive.1.${sequence}.${sequence}.1700000000.0`

interface Message {
  readonly body: object
  readonly delivery?: string
}
const queued = (n: number): Message => ({ body: { n, at: 0, type: 'queued', position: 0 } })
const started = (n: number, node: string, sequence: number): Message => ({
  body: { n, at: 0, type: 'started', node, attempt: 1 },
  delivery: delivery(sequence),
})
const said = (n: number): Message => ({ body: { n, at: 0, type: 'responses', response: 'x' } })
const retrying = (n: number): Message => ({ body: { n, at: 0, type: 'retrying', attempt: 2, inMs: 0, problem: {} } })
const ended = (n: number): Message => ({ body: { n, at: 0, type: 'completed' } })

const headerOf = (message: Message) => (name: string) => (name === DELIVERY_HEADER ? message.delivery : '')
const bytes = ({ body }: Message) => new TextEncoder().encode(JSON.stringify(body))

/** A relay's requests, whose logs are in memory, and what it hears and says of nodes. */
function relay(logs: Record<string, Message[]> = {}) {
  const channels = new Channels({
    isThere: true,
    there: async () => {},
    last: async () => undefined,
    page: async (id, after) => ({
      entries: (logs[id] ?? [])
        .slice(after, after + 2)
        .map((message, index) => printEntry(bytes(message), after + index + 1, headerOf(message))),
      more: after + 2 < (logs[id] ?? []).length,
    }),
  })
  const beats = new Map<string, Beat>([
    ['a', { startedAt: 1, heardAt: 0 }],
    ['b', { startedAt: 1, heardAt: 0 }],
  ])
  const givenBack: string[] = []
  const waits: number[] = []
  let meanwhile = () => {}
  const takeover = new Takeover({
    openRequests: () => channels.open(),
    lastBeat: (node) => beats.get(node),
    giveBack: (subject) => givenBack.push(subject),
    left: () => {},
    gone: (node) => beats.delete(node),
    now: () => 100,
    wait: async (ms) => {
      waits.push(ms)
      meanwhile()
    },
  })
  const log = (id: string, ...messages: Message[]) => {
    channels.of(id, ABOUT)
    for (const message of messages) channels.arrived(id, bytes(message), headerOf(message))
  }
  const disconnected = (name: string, act = () => {}, reason = 'Client Closed') => {
    meanwhile = act
    return takeover.disconnected({ client: { name, user: 'node' }, reason })
  }
  return { channels, beats, givenBack, waits, log, disconnected }
}

test('a dead node gives back what it ran, and nothing else', async () => {
  const { log, disconnected, givenBack, beats } = relay()
  log('ran', queued(1), started(2, 'a', 1), said(3))
  log('waits', queued(1))
  log('elsewhere', queued(1), started(2, 'b', 3))
  log('handed over', queued(1), started(2, 'a', 4), started(3, 'b', 5))
  log('retried', queued(1), started(2, 'a', 6), retrying(3))
  log('over', queued(1), started(2, 'a', 7), ended(3))
  expect(await disconnected('a')).toBe(1)
  expect(givenBack).toEqual([delivery(1)])
  expect([...beats.keys()]).toEqual(['b'])
})

test('what was given back once is not given back again', async () => {
  const { log, disconnected, givenBack } = relay()
  log('r', queued(1), started(2, 'a', 1))
  await disconnected('a')
  await disconnected('a')
  expect(givenBack).toHaveLength(1)
})

test('a node that is heard again keeps its jobs', async () => {
  const { log, disconnected, givenBack, beats } = relay()
  log('r', queued(1), started(2, 'a', 1))
  expect(await disconnected('a', () => beats.set('a', { startedAt: 1, heardAt: 101 }))).toBe(0)
  expect(givenBack).toEqual([])
})

test('another process of the same name has none of the jobs of the one that died', async () => {
  const { log, disconnected, beats } = relay()
  log('r', queued(1), started(2, 'a', 1))
  expect(await disconnected('a', () => beats.set('a', { startedAt: 90, heardAt: 101 }))).toBe(1)
})

test("a connection that was silent for long may not be its node's last: a whole heartbeat is waited for", async () => {
  const { disconnected, waits } = relay()
  await disconnected('a')
  await disconnected('a', undefined, 'Stale Connection')
  expect(waits).toEqual([500, 4_000])
})

test('who ran a request that this relay did not follow is read in its log', async () => {
  const logs = {
    mine: [queued(1), started(2, 'a', 1), said(3), said(4), said(5)],
    moved: [queued(1), started(2, 'a', 2), said(3), started(4, 'b', 3), said(5)],
  }
  const { log, disconnected, givenBack } = relay(logs)
  for (const id of Object.keys(logs)) log(id, said(5))
  expect(await disconnected('a')).toBe(1)
  expect(givenBack).toEqual([delivery(1)])
})

test('only the end of a node is worth reading logs', async () => {
  const { channels, disconnected } = relay()
  let reads = 0
  channels.of('r', ABOUT).findRunner = async () => {
    reads += 1
  }
  await disconnected('recorder')
  expect(reads).toBe(0)
  await disconnected('a')
  expect(reads).toBe(1)
})

test('a node that does not say where its job is acknowledged is left to the broker; so is a subject of another kind', async () => {
  const { log, disconnected, givenBack } = relay()
  const { body } = started(2, 'a', 1)
  log('silent', queued(1), { body })
  log('odd', queued(1), { body, delivery: 'history.accepted.x' })
  expect(await disconnected('a')).toBe(0)
  expect(givenBack).toEqual([])
})

test('what is not such an event, or names nobody, is passed over', async () => {
  const { disconnected, waits } = relay()
  expect(await disconnected('')).toBe(0)
  expect(waits).toEqual([])
})
