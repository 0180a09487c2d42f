import { expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { descendants } from '@oriel/dev/process-table'
import type { Received } from '../support/client.ts'
import { typesOf } from '../support/client.ts'
import { useStack } from '../support/stack.ts'

// A host that may have little more memory than it has, as under a cap, and a model that asks for more.

const stack = useStack({ models: ['hungry'], nodeEnv: { ORIEL_HOSTS: '1' } })
const ROOM_BYTES = 200e6
/** 4 MB, and 1.2 GB. */
const [little, much] = [{ input: { size: [1_000_000] } }, { input: { size: [300_000_000] } }]
const iris = { input: { features: [5.1, 3.5, 1.4, 0.2] } }

function host(): number {
  const node = stack.stack.part('node-1').pid
  const [only, ...others] = node === undefined ? [] : descendants(node)
  if (!only || others.length > 0) throw new Error('the node has not one host')
  return only.pid
}

/** The most that the kernel will give the process from now on. */
function cap(pid: number, bytes: number | 'unlimited'): void {
  const { exitCode, stderr } = Bun.spawnSync(['prlimit', '--pid', String(pid), `--as=${bytes}:`])
  if (exitCode !== 0) throw new Error(`prlimit: ${stderr}`)
}

/** What the process has mapped, which is what its address space is measured by. */
const mapped = (pid: number) =>
  Number(/VmSize:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1_024

const told = (events: readonly Received[]) => typesOf(events).filter((type) => !['queued', 'progress'].includes(type))

test('a model that asks for more memory than there is fails when its budget is spent, and its host goes on', async () => {
  const alice = await stack.client('alice')
  const ask = async (model: string, request: object) =>
    await alice.follow((await alice.submit(model, request)).requestID)
  expect(told(await ask('hungry', little)).at(-1)).toBe('completed')
  expect(told(await ask('iris', iris)).at(-1)).toBe('completed')
  const pid = host()
  cap(pid, mapped(pid) + ROOM_BYTES)

  const failing = ask('hungry', much)
  const others = Array.from({ length: 5 }, () => ask('iris', iris))
  const events = await failing
  expect(told(events)).toEqual(['started', 'retrying', 'started', 'failed'])
  const problem = { kind: 'out-of-memory', detail: expect.stringContaining('1200000000 bytes') }
  expect(events.find(({ type }) => type === 'retrying')?.data).toMatchObject({ problem })
  expect(events.at(-1)?.data).toMatchObject({ problem, retriable: true })

  for (const other of await Promise.all(others)) expect(told(other)).toEqual(['started', 'responses', 'completed'])
  expect(told(await ask('hungry', little))).toEqual(['started', 'responses', 'completed'])
  expect(host()).toBe(pid)

  cap(pid, 'unlimited')
  expect(told(await ask('hungry', much)).at(-1)).toBe('completed')
}, 60_000)
