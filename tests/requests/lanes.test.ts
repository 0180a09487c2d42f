import { afterAll, beforeAll, expect, test } from 'bun:test'
import type { NatsConnection } from '@nats-io/nats-core'
import { isTerminal, RequestEvent } from '@oriel/protocol/event'
import { ALL_LIVE, type Lane, requestOf } from '@oriel/protocol/subjects'
import * as v from 'valibot'
import type { Client } from '../support/client.ts'
import { useStack } from '../support/stack.ts'

const SLOTS = 4
const stack = useStack({ nodeEnv: { ORIEL_SLOTS: String(SLOTS) } })
const quick = { input: 'Once', parameters: { maxTokens: 4, tokensPerSecond: 20, seed: 1 } }

/** What happened to which request, in the order in which the broker stored it. */
class Course {
  readonly events: { readonly id: string; readonly event: RequestEvent }[] = []
  readonly #nc: NatsConnection
  #heard = () => {}

  constructor(nc: NatsConnection) {
    this.#nc = nc
    nc.subscribe(ALL_LIVE, {
      callback: (_, msg) => {
        this.events.push({ id: requestOf(msg.subject), event: v.parse(RequestEvent, msg.json()) })
        this.#heard()
      },
    })
  }

  at(id: string, type: RequestEvent['type']): number {
    return this.events.findIndex((entry) => entry.id === id && entry.event.type === type)
  }

  async until(holds: () => boolean): Promise<void> {
    while (!holds()) await new Promise<void>((go) => (this.#heard = go))
  }

  /** The most requests that ever ran at the same time. */
  get most(): number {
    const running = new Set<string>()
    return this.events.reduce((most, { id, event }) => {
      if (event.type === 'started') running.add(id)
      else if (isTerminal(event)) running.delete(id)
      return Math.max(most, running.size)
    }, 0)
  }

  ended(ids: readonly string[]): Promise<void> {
    return this.until(() => {
      const over = new Set(this.events.flatMap(({ id, event }) => (isTerminal(event) ? [id] : [])))
      return ids.every((id) => over.has(id))
    })
  }

  close(): Promise<void> {
    return this.#nc.close()
  }
}

let course: Course
let alice: Client
beforeAll(async () => {
  const nc = await stack.stack.nats('admin')
  course = new Course(nc)
  await nc.flush()
  alice = await stack.client('alice')
}, 180_000)
afterAll(() => course.close())

const submit = (count: number, lane?: Lane): Promise<string[]> =>
  Promise.all(
    Array.from({ length: count }, async () => {
      const { requestID } = await alice.submit('storyteller', lane ? { ...quick, lane } : quick)
      return requestID
    }),
  )

test('an idle node takes a job of either lane', async () => {
  await course.ended([...(await submit(1, 'batch')), ...(await submit(1, 'interactive')), ...(await submit(1))])
})

test('interactive requests overtake 200 batch ones, and wait for no more than one of each slot', async () => {
  const batch = new Set(await submit(200, 'batch'))
  for (let count = 0; count < 5; count++) {
    const [id = ''] = await submit(1)
    await course.ended([id])
    const meanwhile = course.events.slice(course.at(id, 'queued'), course.at(id, 'started'))
    const before = meanwhile.filter((entry) => entry.event.type === 'started' && batch.has(entry.id))
    expect(before.length).toBeLessThanOrEqual(SLOTS)
  }
  const open = [...batch].filter((id) => course.at(id, 'started') < 0)
  expect(open.length).toBeGreaterThan(50)
  await course.ended([...batch])
}, 120_000)

test('under a flood of interactive requests batch ones end all the same', async () => {
  const interactive = await submit(100)
  const batch = await submit(8, 'batch')
  await course.ended([...interactive, ...batch])
  const lastBatch = Math.max(...batch.map((id) => course.at(id, 'started')))
  const after = interactive.filter((id) => course.at(id, 'started') > lastBatch)
  expect(after.length).toBeGreaterThan(0)
  // Both lanes together never had more than the node's slots, and they had all of them.
  expect(course.most).toBe(SLOTS)
}, 120_000)
