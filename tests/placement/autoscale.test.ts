import { expect, test } from 'bun:test'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { autoscale } from '@oriel/dev/autoscale'
import { nodeStatuses } from '@oriel/dev/node-statuses'
import { freePort } from '@oriel/dev/ports'
import { typesOf } from '../support/client.ts'
import { useStack } from '../support/stack.ts'

const port = await freePort()
const dir = mkdtempSync(join(tmpdir(), 'oriel-autoscale-'))
const told = join(dir, 'told')
const stack = useStack({
  nodeEnv: { ORIEL_SLOTS: '2' },
  plannerEnv: {
    ORIEL_HTTP_PORT: String(port),
    ORIEL_AUTOSCALE: '2..4',
    ORIEL_AUTOSCALE_COMMAND: `echo "$ORIEL_NODES $ORIEL_NODES_NOW $ORIEL_IDLE_NODES [$ORIEL_NATS_PASSWORD]" >> ${told}`,
  },
})

async function serving(): Promise<number> {
  const nc = await stack.stack.nats('admin')
  try {
    return (await nodeStatuses(nc)).filter(({ mode }) => mode === 'serving').length
  } finally {
    await nc.close()
  }
}

const commands = () => {
  try {
    return readFileSync(told, 'utf8').trim().split('\n')
  } catch {
    return []
  }
}

test('the planner has a command told how many nodes there should be, and no secret', async () => {
  await stack.until(async () => commands().length > 0 && commands()[0] !== '')
  expect(commands()[0]).toBe('2 1 node-1 []')
  rmSync(dir, { recursive: true, force: true })
})

test('how much waits is served for people and for Prometheus', async () => {
  const get = (path: string) => fetch(`http://127.0.0.1:${port}${path}`)
  await stack.until(async () => ((await (await get('/backlog')).json()) as { partitions: [] }).partitions.length > 0)
  const backlog = await (await get('/backlog')).json()
  expect(backlog).toMatchObject({ planning: true, nodes: [{ node: 'node-1', busy: 0, slots: 2 }] })
  expect(backlog.partitions[0]).toEqual({ partition: 0, waiting: 0, running: 0, drain: 0, homes: 1, occupancy: 0 })
  const metrics = await (await get('/metrics')).text()
  expect(metrics).toContain('\noriel_planner_planning 1\n')
  expect(metrics).toContain('\noriel_partition_waiting_jobs{partition="0"} 0\n')
  expect((await get('/nowhere')).status).toBe(404)
})

test('nodes are started while jobs wait, and stopped when there is nothing to do; none that works is', async () => {
  const end = autoscale(stack.stack, { min: 1, max: 3, maxWaitMs: 500, upAfterMs: 2_000, downAfterMs: 4_000 })
  const alice = await stack.client('alice')
  const story = { input: 'Once', parameters: { maxTokens: 40, tokensPerSecond: 10 } }
  const sent = await Promise.all(Array.from({ length: 16 }, () => alice.submit('storyteller', story)))
  const streams = sent.map(({ requestID }) => alice.follow(requestID))
  await stack.until(async () => (await serving()) === 3)
  const all = await Promise.all(streams)
  await stack.until(async () => (await serving()) === 1)
  await end()
  expect(all.map((events) => typesOf(events).at(-1))).toEqual(sent.map(() => 'completed'))
  // Whoever had begun a story told it to its end.
  expect(all.map((events) => events.filter(({ type }) => type === 'started').length)).toEqual(sent.map(() => 1))
}, 120_000)
