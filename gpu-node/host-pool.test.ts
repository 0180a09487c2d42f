import { expect, test } from 'bun:test'
import { newRequestId, type RequestId } from '@oriel/protocol/ids'
import { Manifest } from '@oriel/protocol/manifest'
import { ProblemError } from '@oriel/protocol/problem'
import * as v from 'valibot'
import { BystanderError } from './bystander-error.ts'
import type { FakeHost } from './host/testing/fake-hosts.ts'
import { fakeHosts } from './host/testing/fake-hosts.ts'
import type { HostChange } from './host-fleet.ts'
import { HostPool } from './host-pool.ts'
import type { LocalModel, Output, Run } from './model-runner.ts'
import { ManualClock, settled } from './testing/manual-clock.ts'

const model = (name: string, hangMs = 30_000): LocalModel => ({
  dir: `/models/${name}/1`,
  manifest: v.parse(Manifest, {
    name,
    version: '1',
    engine: 'text-generation',
    files: [{ path: 'model.onnx', sha256: '0'.repeat(64), bytes: 0 }],
    limits: { timeoutMs: 1000, hangMs, maxBatch: 1, concurrency: 8 },
  } satisfies v.InferInput<typeof Manifest>),
})

const runOf = (of: LocalModel, id = newRequestId(0)): Run => ({
  id,
  model: of,
  input: 'Once',
  parameters: {},
  seed: 1,
  prior: { tokens: [], text: '' },
})

function setUp(hosts: number) {
  const clock = new ManualClock()
  const changes: HostChange[] = []
  const { processes, start } = fakeHosts()
  const pool = new HostPool({ hosts, start, clock, onChange: (change) => changes.push(change) })
  for (const process of processes) process.say({ type: 'ready', rssBytes: 0 })

  /** A run, and what became of it. */
  const begin = (of: LocalModel, id?: RequestId) => {
    const abort = new AbortController()
    const outputs: Output[] = []
    const end = pool
      .run(runOf(of, id), (output) => outputs.push(output), abort.signal)
      .then(
        () => 'done',
        (error: unknown) => {
          if (!(error instanceof ProblemError)) return String(error)
          return error instanceof BystanderError ? `${error.problem.kind}, free` : error.problem.kind
        },
      )
    return { abort, outputs, end }
  }
  /** A run that its host has begun. */
  const begun = async (of: LocalModel, id?: RequestId) => {
    const run = begin(of, id)
    await settled()
    for (const process of processes) answerLoads(process)
    await settled()
    return { ...run, ...lastRun(processes) }
  }
  return { pool, clock, changes, processes, begin, begun }
}

const answerLoads = (process: FakeHost) => {
  for (const { work } of process.all('load')) process.say({ type: 'loaded', work, bytes: 0, tookMs: 0 })
}

function lastRun(processes: FakeHost[]): { process: FakeHost; work: number } {
  const all = processes.flatMap((process) => process.all('run').map(({ work }) => ({ process, work })))
  const last = all.sort((a, b) => a.work - b.work).at(-1)
  if (!last) throw new Error('no run was sent')
  return last
}

test('a model is loaded once, in one host, and its runs go there', async () => {
  const { processes, begun } = setUp(2)
  const first = await begun(model('one'))
  const second = await begun(model('one'))
  expect(second.process).toBe(first.process)
  expect(first.process.all('load')).toHaveLength(1)
  expect(processes.flatMap((process) => process.all('load'))).toHaveLength(1)
})

test('a version whose files are others is another model, and is told by its version', async () => {
  const { pool, processes, begun } = setUp(1)
  const one = model('one')
  await begun(one)
  const files = [{ path: 'model.onnx', sha256: '1'.repeat(64), bytes: 0 }]
  const replaced = { manifest: { ...one.manifest, files }, dir: '/registry/one' }
  expect(pool.stateOf(replaced)).toEqual({ state: 'available' })
  await begun(replaced)
  expect(processes[0]?.all('load').map(({ dir }) => dir)).toEqual([one.dir, '/registry/one'])
  const [run, other] = processes[0]?.all('run') ?? []
  expect(run?.model).not.toBe(other?.model)
  expect(pool.status()[0]?.models).toEqual(['one/1', 'one/1'])
})

test('another model goes to the host with fewer', async () => {
  const { begun } = setUp(2)
  const first = await begun(model('one'))
  const second = await begun(model('two'))
  expect(second.process).not.toBe(first.process)
})

test('outputs come in order and the end comes last', async () => {
  const { begun } = setUp(1)
  const { process, work, outputs, end } = await begun(model('one'))
  process.say({ type: 'output', work, response: 'a', tokens: [1] })
  process.say({ type: 'output', work, response: 'b', tokens: [2, 3] })
  process.say({ type: 'done', work })
  expect(await end).toBe('done')
  expect(outputs).toEqual([
    { response: 'a', tokens: [1] },
    { response: 'b', tokens: [2, 3] },
  ])
})

test('the host’s problem is the run’s, and the host stays', async () => {
  const { begun, changes } = setUp(1)
  const { process, work, end } = await begun(model('one'))
  process.say({ type: 'failed', work, problem: { kind: 'inference-failed', detail: '' } })
  expect(await end).toBe('inference-failed')
  expect(changes).toHaveLength(1)
})

test('a crash fails the runs of that host alone; it is replaced at once and loads again on demand', async () => {
  const { begun, processes, clock, changes, pool } = setUp(2)
  const first = await begun(model('one'))
  const other = await begun(model('two'))
  first.process.current = first.work
  first.process.die('signal SIGSEGV')
  expect(await first.end).toBe('host-crashed')
  expect(pool.status().flatMap((host) => host.models)).toEqual(['two/1'])
  await clock.advance(0)
  expect(processes).toHaveLength(3)
  expect(changes.slice(2)).toEqual([
    { host: 'host-1', pid: undefined, why: 'signal SIGSEGV' },
    { host: 'host-1', pid: 3 },
  ])
  const again = await begun(model('one'))
  expect(again.process.pid).toBe(3)
  again.process.say({ type: 'done', work: again.work })
  other.process.say({ type: 'done', work: other.work })
  expect([await again.end, await other.end]).toEqual(['done', 'done'])
})

test('what a dead host still says is not heard', async () => {
  const { begun } = setUp(1)
  const { process, work, outputs, end } = await begun(model('one'))
  process.die('exit code 1')
  process.say({ type: 'output', work, response: 'ghost' })
  expect(await end).toBe('host-crashed')
  expect(outputs).toEqual([])
})

test('a host that keeps dying is replaced ever more slowly, and work that comes meanwhile waits for it', async () => {
  const { processes, clock, begun, begin } = setUp(1)
  processes.at(-1)?.die('exit code 1')
  await clock.advance(0)
  processes.at(-1)?.die('exit code 1')
  const waiting = begin(model('one'))
  await clock.advance(99)
  expect(processes).toHaveLength(2)
  await clock.advance(1)
  expect(processes).toHaveLength(3)
  const run = await begun(model('one'))
  for (const { work } of run.process.all('run')) run.process.say({ type: 'done', work })
  expect([await waiting.end, await run.end]).toEqual(['done', 'done'])
})

test('a machine with no room for another process is asked again later', async () => {
  const clock = new ManualClock()
  const { processes, start } = fakeHosts()
  const lines: string[] = []
  let refusals = 2
  const pool = new HostPool({
    hosts: 1,
    clock,
    start(events) {
      if (refusals-- > 0) throw new Error('EAGAIN')
      return start(events)
    },
    onLine: (host, line) => lines.push(`${host} ${line}`),
  })
  await clock.advance(100)
  expect(processes).toHaveLength(1)
  expect(lines).toEqual(['host-1 could not be started: EAGAIN', 'host-1 could not be started: EAGAIN'])
  await pool.close()
})

test('a host that is silent for the time limit of the model it is busy with is killed', async () => {
  const { begun, clock } = setUp(1)
  const quick = await begun(model('quick', 2_000))
  const innocent = await begun(model('slow', 60_000))
  quick.process.alive = false
  quick.process.current = innocent.work
  await clock.advance(30_000)
  expect(quick.process.killed).toBe(false)
  quick.process.current = quick.work
  await clock.advance(2_000)
  expect(quick.process.killed).toBe(false)
  await clock.advance(2_000)
  expect(quick.process.killed).toBe(true)
  expect(await quick.end).toBe('host-hung')
  expect(await innocent.end).toBe('host-crashed, free')
})

test('a busy host that answers pings is left alone', async () => {
  const { begun, clock } = setUp(1)
  const { process, work } = await begun(model('quick', 2_000))
  process.current = work
  await clock.advance(60_000)
  expect(process.killed).toBe(false)
})

test('an idle host that has gone silent is replaced', async () => {
  const { processes, clock } = setUp(1)
  for (const process of processes) process.alive = false
  await clock.advance(12_000)
  expect(processes[0]?.killed).toBe(true)
  expect(processes).toHaveLength(2)
})

test('an aborted run ends at once, says nothing more, and is stopped in its host', async () => {
  const { begun } = setUp(1)
  const { process, work, outputs, end, abort } = await begun(model('one'))
  abort.abort()
  expect(await end).toContain('AbortError')
  process.say({ type: 'output', work, response: 'late' })
  process.say({ type: 'done', work })
  expect(outputs).toEqual([])
  expect(process.all('abort')).toEqual([{ type: 'abort', work }])
})

test('aborting one run leaves the load to the others that wait for it', async () => {
  const { processes, begin } = setUp(1)
  const one = begin(model('one'))
  const two = begin(model('one'))
  await settled()
  one.abort.abort()
  expect(await one.end).toContain('AbortError')
  for (const process of processes) answerLoads(process)
  await settled()
  const { process, work } = lastRun(processes)
  expect(process.all('run')).toHaveLength(1)
  process.say({ type: 'done', work })
  expect(await two.end).toBe('done')
})

test('a model that cannot be loaded is refused for a while without another try', async () => {
  const { processes, begin, pool, clock } = setUp(1)
  const problem = { kind: 'model-unavailable' as const, detail: 'model.onnx: not a graph' }
  const runs = [begin(model('one')), begin(model('one'))]
  await settled()
  const [host] = processes
  const [load] = host?.all('load') ?? []
  host?.say({ type: 'failed', work: load?.work ?? 0, problem })
  expect(await Promise.all(runs.map((run) => run.end))).toEqual(['model-unavailable', 'model-unavailable'])
  expect(pool.stateOf(model('one'))).toEqual({ state: 'unavailable', problem })
  expect(await begin(model('one')).end).toBe('model-unavailable')
  expect(host?.all('load')).toHaveLength(1)
  await clock.advance(30_000)
  begin(model('one'))
  await settled()
  expect(host?.all('load')).toHaveLength(2)
})

test('a load that kills its host is the model’s fault, and a neighbour’s run is only unlucky', async () => {
  const { begun, begin, processes } = setUp(1)
  const neighbour = await begun(model('good'))
  const killer = begin(model('killer'))
  await settled()
  const work = processes[0]?.all('load').at(-1)?.work ?? 0
  neighbour.process.current = work
  neighbour.process.die('signal SIGABRT')
  expect(await killer.end).toBe('model-unavailable')
  expect(await neighbour.end).toBe('host-crashed, free')
})

test('whoever is caught in the act is charged, and runs alone from then on; the others are not', async () => {
  const { begun, processes, clock } = setUp(1)
  const [poison, neighbour] = [newRequestId(0), newRequestId(0)]
  const culprit = await begun(model('one'), poison)
  const innocent = await begun(model('one'), neighbour)
  culprit.process.current = culprit.work
  culprit.process.die('signal SIGSEGV')
  expect([await culprit.end, await innocent.end]).toEqual(['host-crashed', 'host-crashed, free'])
  await clock.advance(0)
  const again = await begun(model('one'), neighbour)
  const alone = await begun(model('one'), poison)
  expect(alone.process).not.toBe(again.process)
  alone.process.die('signal SIGSEGV')
  expect(await alone.end).toBe('host-crashed')
  again.process.say({ type: 'done', work: again.work })
  expect(await again.end).toBe('done')
  // The host of its own is gone with it: no other took its place.
  await clock.advance(20_000)
  expect(processes).toHaveLength(3)
})

test('where nobody is caught in the act nobody is charged, and after the second time each runs alone', async () => {
  const { begin, begun, processes, clock } = setUp(1)
  const ids = [newRequestId(0), newRequestId(0)]
  for (let time = 1; time <= 2; time++) {
    const runs = [await begun(model('one'), ids[0]), await begun(model('one'), ids[1])]
    expect(runs[0]?.process).toBe(runs[1]?.process as FakeHost)
    runs[0]?.process.die('signal SIGKILL')
    expect(await Promise.all(runs.map(({ end }) => end))).toEqual(['host-crashed, free', 'host-crashed, free'])
    await clock.advance(1_000)
  }
  // As many as there are hosts are alone at a time: here one.
  const [guilty, innocent] = [await begun(model('one'), ids[0]), begin(model('one'), ids[1])]
  await settled()
  expect(lastRun(processes).work).toBe(guilty.work)
  guilty.process.die('signal SIGKILL')
  expect(await guilty.end).toBe('host-crashed')
  await settled()
  for (const process of processes) answerLoads(process)
  await settled()
  const { process, work } = lastRun(processes)
  expect(process).not.toBe(guilty.process)
  process.say({ type: 'done', work })
  expect(await innocent.end).toBe('done')
  // Cleared: it has the company of others again.
  const free = await begun(model('one'), ids[1])
  expect((await begun(model('one'))).process).toBe(free.process)
})

test('closing ends every host and leaves no timer', async () => {
  const { pool, processes, clock, begun } = setUp(2)
  const run = await begun(model('one'))
  await pool.close()
  expect(processes.every((process) => process.killed)).toBe(true)
  expect(await run.end).toBe('host-crashed, free')
  expect(clock.timers).toBe(0)
  expect(pool.status()).toEqual([])
})
