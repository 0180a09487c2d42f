import { afterAll, afterEach, expect, test } from 'bun:test'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ProblemError } from '@oriel/protocol/problem'
import { BatchingPredictor } from './batching/batching-predictor.ts'
import { type Clock, fineClock, systemClock } from './clock.ts'
import { counterModel } from './engines/testing/models.ts'
import { bunHosts } from './host/bun-host-process.ts'
import type { HostChange } from './host-fleet.ts'
import { HostPool } from './host-pool.ts'
import { LocalRunner } from './local-runner.ts'
import { scanModels } from './model-folder.ts'
import type { LocalModel, Output } from './model-runner.ts'

// With real subprocesses and real graphs: what a fake host cannot show.

const AN_HOUR = 3e9
/** Five times as fast as the real one: a host is given up sooner, but not for a hiccup of a busy machine. */
const fast: Clock = { now: systemClock.now, setTimer: (ms, fire) => systemClock.setTimer(ms / 5, fire) }
const root = mkdtempSync(join(tmpdir(), 'oriel-pool-'))
const pools: HostPool[] = []
afterEach(() => Promise.all(pools.splice(0).map((pool) => pool.close())))
afterAll(() => rmSync(root, { recursive: true }))

function setUp(hosts: number, clock: Clock = systemClock) {
  const changes: HostChange[] = []
  const watchers: (() => void)[] = []
  const lines: string[] = []
  const pool = new HostPool({
    hosts,
    start: bunHosts({ threads: 1 }),
    clock,
    onChange(change) {
      changes.push(change)
      for (const watcher of watchers) watcher()
    },
    onLine: (host, line) => lines.push(`${host} ${line}`),
  })
  pools.push(pool)
  const predictor = new BatchingPredictor({ hosts: pool, clock: fineClock })
  const runner = new LocalRunner({ streams: pool, predictor, hosts: pool })
  const count = async (model: LocalModel, times: number, signal = new AbortController().signal) => {
    const outputs: Output[] = []
    const id = '01890a5d-ac96-774b-bcce-b302099a8057'
    const run = { id, model, input: { times }, parameters: {}, seed: 1, prior: { tokens: [], text: '' } }
    await runner.run(run, (output) => outputs.push(output), signal)
    return outputs
  }
  const until = (reached: () => boolean) =>
    new Promise<void>((resolve) => {
      const check = () => {
        if (reached()) resolve()
      }
      watchers.push(check)
      check()
    })
  return { pool, predictor, changes, lines, count, until }
}

const kindOf = (error: unknown) => (error instanceof ProblemError ? error.problem.kind : String(error))
const pidOf = (pool: HostPool, model: string) =>
  pool.status().find((host) => host.models.includes(model))?.pid ?? Number.NaN

const isAlive = (pid: number) => {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

test('a graph runs in a subprocess', async () => {
  const { count } = setUp(1)
  expect(await count(counterModel(root), 12)).toEqual([{ response: { count: 12 } }])
})

test('kill -9 in the middle of a run fails that host’s runs, spares the others, and the next run is served', async () => {
  const { pool, count, until, changes } = setUp(2)
  const [stuck, other] = [counterModel(root, {}, 'stuck'), counterModel(root, {}, 'other')]
  await Promise.all([count(stuck, 1), count(other, 1)])
  const victim = pidOf(pool, 'stuck/1')
  expect(victim).not.toBe(pidOf(pool, 'other/1'))
  const doomed = count(stuck, AN_HOUR).catch(kindOf)
  const spared = count(other, 300_000)
  process.kill(victim, 'SIGKILL')
  expect(await doomed).toBe('host-crashed')
  expect(await spared).toEqual([{ response: { count: 300_000 } }])
  await until(() => changes.length === 4)
  expect(await count(stuck, 3)).toEqual([{ response: { count: 3 } }])
  expect(pidOf(pool, 'stuck/1')).not.toBe(victim)
})

test('a model that hangs in native code is killed at its time limit and named; its neighbour only waits', async () => {
  const { count } = setUp(1, fast)
  const [hanging, neighbour] = [counterModel(root, { hangMs: 5_000 }, 'hanging'), counterModel(root, {}, 'neighbour')]
  await Promise.all([count(hanging, 1), count(neighbour, 1)])
  const hung = count(hanging, AN_HOUR).catch(kindOf)
  const unlucky = count(neighbour, 1)
  expect(await hung).toBe('host-hung')
  expect(await unlucky).toEqual([{ response: { count: 1 } }])
}, 20_000)

test('a generation whose host is killed in the middle is continued in the next one, token by token', async () => {
  const { pool, until, changes } = setUp(1)
  const { models } = await scanModels(join(import.meta.dir, '../models'))
  const model = models.find(({ manifest }) => manifest.name === 'storyteller')
  if (!model) throw new Error('storyteller is not in the models folder')
  const id = '01890a5d-ac96-774b-bcce-b302099a8057'
  const parameters = { temperature: 1, maxTokens: 40, tokensPerSecond: 200 }
  const tell = async (before: readonly Output[], onOutput: (count: number) => void = () => {}) => {
    const outputs = [...before]
    const prior = {
      tokens: before.flatMap((output) => output.tokens ?? []),
      text: before.map((output) => output.response).join(''),
    }
    const emit = (output: Output) => onOutput(outputs.push(output))
    const run = { id, model, input: 'Once upon a time', parameters, seed: 4, prior }
    await pool.run(run, emit, new AbortController().signal).catch((error) => expect(kindOf(error)).toBe('host-crashed'))
    return outputs
  }
  const whole = await tell([])
  const torn = await tell([], (count) => {
    if (count === 15) process.kill(pidOf(pool, 'storyteller/1'), 'SIGKILL')
  })
  expect(torn.length).toBeLessThan(whole.length)
  await until(() => changes.length === 3)
  expect(await tell(torn)).toEqual(whole)
})

test('a damaged graph is a problem of its model, and the host goes on', async () => {
  const { pool, count } = setUp(1)
  const good = counterModel(root, {}, 'good')
  const bad = counterModel(root, {}, 'bad')
  writeFileSync(join(bad.dir, 'model.onnx'), 'no graph at all')
  await count(good, 1)
  const pid = pidOf(pool, 'good/1')
  const error = await count(bad, 1).catch((error) => error)
  expect(kindOf(error)).toBe('model-unavailable')
  expect(pool.stateOf(bad).state).toBe('unavailable')
  await count(good, 1)
  expect(pidOf(pool, 'good/1')).toBe(pid)
})

test('an aborted run answers at once though its host is still in native code', async () => {
  const { count } = setUp(1)
  const abort = new AbortController()
  const model = counterModel(root)
  await count(model, 1)
  const run = count(model, AN_HOUR, abort.signal).catch(String)
  abort.abort()
  expect(await run).toContain('AbortError')
})

test('a host that is frozen while it is idle is replaced', async () => {
  const { pool, count, until, changes } = setUp(1, fast)
  const model = counterModel(root)
  await count(model, 1)
  process.kill(pidOf(pool, 'counter/1'), 'SIGSTOP')
  await until(() => changes.length === 3)
  expect(changes[1]?.why).toBe('hung')
  expect(await count(model, 1)).toEqual([{ response: { count: 1 } }])
}, 20_000)

test('runs that a host is given when it has just died are served by the next one', async () => {
  const { pool, count } = setUp(1)
  const model = counterModel(root)
  await count(model, 1)
  process.kill(pidOf(pool, 'counter/1'), 'SIGKILL')
  const ends = await Promise.all(Array.from({ length: 20 }, () => count(model, 2)))
  expect(ends).toEqual(Array(20).fill([{ response: { count: 2 } }]))
})

test('closing leaves no process, not even one that hangs', async () => {
  const { pool, count } = setUp(2)
  const model = counterModel(root)
  await count(model, 1)
  const pids = pool.status().map((host) => host.pid)
  const run = count(model, AN_HOUR).catch(kindOf)
  await pool.close()
  expect(await run).toBe('host-crashed')
  expect(pids.map(isAlive)).toEqual([false, false])
})

test('a host ends when its node is killed', async () => {
  const script = `
    import { HostPool } from '${import.meta.dir}/host-pool.ts'
    import { bunHosts } from '${import.meta.dir}/host/bun-host-process.ts'
    import { systemClock } from '${import.meta.dir}/clock.ts'
    const pool = new HostPool({ hosts: 1, start: bunHosts({ threads: 1 }), clock: systemClock })
    console.log(pool.status()[0].pid)`
  const node = Bun.spawn([process.execPath, '-e', script], { stdout: 'pipe', stderr: 'inherit' })
  const { value } = await node.stdout.getReader().read()
  const pid = Number(new TextDecoder().decode(value))
  expect(isAlive(pid)).toBe(true)
  node.kill('SIGKILL')
  await node.exited
  // A grandchild's exit cannot be awaited; /proc or ps would be the same question.
  while (isAlive(pid)) await Bun.sleep(5)
  expect(isAlive(pid)).toBe(false)
})

test('Ctrl-C, which reaches the whole group, is the node’s affair', async () => {
  const { pool, count } = setUp(1)
  const model = counterModel(root)
  await count(model, 1)
  const pid = pidOf(pool, 'counter/1')
  process.kill(pid, 'SIGINT')
  process.kill(pid, 'SIGTERM')
  await count(model, 1)
  expect(pidOf(pool, 'counter/1')).toBe(pid)
})

test('a host gets nothing of the node’s environment that it has no use for', async () => {
  process.env.ORIEL_TEST_SECRET = 'hunter2'
  const { pool } = setUp(1)
  const [host] = pool.status()
  delete process.env.ORIEL_TEST_SECRET
  const file = Bun.file(`/proc/${host?.pid}/environ`)
  if (await file.exists()) expect(await file.text()).not.toContain('hunter2')
})
