import { expect, test } from 'bun:test'
import { Kvm, type KvWatchEntry } from '@nats-io/kv'
import { Placement } from '@oriel/protocol/placement'
import { LEASES, PLACEMENT, PLAN, PLANNER } from '@oriel/protocol/subjects'
import * as v from 'valibot'
import { useStack } from '../support/stack.ts'

// Two planners and one lease.

const stack = useStack({ planners: 2, nodes: 1 })
const Stored = v.pipe(v.string(), v.parseJson(), Placement)
const Holder = v.pipe(v.string(), v.parseJson(), v.object({ holder: v.string() }))

async function withBroker<T>(use: (kvm: Kvm) => Promise<T>): Promise<T> {
  const nc = await stack.stack.nats('admin')
  try {
    return await use(new Kvm(nc))
  } finally {
    await nc.close()
  }
}

const plan = () => withBroker(async (kvm) => v.parse(Stored, (await (await kvm.open(PLACEMENT)).get(PLAN))?.string()))

/** Who has the lease, once somebody has; with `other`, somebody else. */
async function holder(other?: string): Promise<string> {
  let found: string | undefined
  await stack.until(async () => {
    const entry = await withBroker(async (kvm) => (await kvm.open(LEASES)).get(PLANNER))
    found = entry?.operation === 'PUT' ? v.parse(Holder, entry.string()).holder : undefined
    return found !== undefined && found !== other
  })
  if (found === undefined) throw new Error('nobody has the lease')
  return found
}

async function planOf(term: number | undefined, holds: (plan: Placement) => boolean): Promise<Placement> {
  let found = await plan()
  await stack.until(async () => {
    found = await plan()
    return found.term !== term && holds(found)
  })
  return found
}

test('the planner gives every partition with models a home', async () => {
  const found = await planOf(undefined, ({ homes }) => homes?.[0]?.length === 1)
  expect(found.homes?.slice(0, -1).every((home) => home.join() === 'node-1')).toBe(true)
  expect(Object.keys(found.models).sort()).toEqual(['iris', 'sentiment', 'storyteller'])
})

test('when it is killed, the other takes over, and the plan is the same', async () => {
  const first = await holder()
  const before = await plan()
  stack.stack.kill(first)
  // The other, or the one that was started in its place: whoever is first when the lease is over.
  const after = await planOf(before.term, () => true)
  expect(after.term).toBeGreaterThan(before.term ?? 0)
  expect({ ...after, term: 0 }).toEqual({ ...before, term: 0 })
})

test('one that was frozen writes nothing when it wakes up', async () => {
  const frozen = await holder()
  const before = await plan()
  stack.stack.kill(frozen, 'SIGSTOP')
  const next = await holder(frozen)
  const { term } = await planOf(before.term, () => true)
  const nc = await stack.stack.nats('admin')
  const entries = await (await new Kvm(nc).open(PLACEMENT)).watch({ key: PLAN })
  const written: (number | undefined)[] = []
  const heard = Promise.withResolvers<void>()
  void (async () => {
    for await (const entry of entries as AsyncIterable<KvWatchEntry>) {
      const { term, homes } = v.parse(Stored, entry.string())
      written.push(term)
      if (homes?.some((home) => home.includes('node-2'))) heard.resolve()
    }
  })()
  stack.stack.kill(frozen, 'SIGCONT')
  // There is something new to plan for, which both see.
  await stack.stack.addNode()
  await heard.promise
  expect(new Set(written)).toEqual(new Set([term]))
  expect(await holder()).toBe(next)
  entries.stop()
  await nc.close()
})
