import { afterAll, afterEach, expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { BatchingPredictor } from './batching/batching-predictor.ts'
import { type Clock, fineClock, systemClock } from './clock.ts'
import { heavyModel } from './engines/testing/heavy-model.ts'
import { type BunHostsOptions, bunHosts } from './host/bun-host-process.ts'
import { HostPool, type HostPoolOptions } from './host-pool.ts'
import type { LocalModel } from './model-runner.ts'

// With real processes and real graphs: what becomes of their memory.

const MB = 2 ** 20
/** Several processes start in a test, and the machine may have others to start. */
const STARTS_MS = 30_000
const root = mkdtempSync(join(tmpdir(), 'oriel-residency-'))
const pools: HostPool[] = []
afterEach(() => Promise.all(pools.splice(0).map((pool) => pool.close())))
afterAll(() => rmSync(root, { recursive: true }))

/** Of 16 MB, 16 MB, 16 MB and 36 MB. */
const [a, b, c] = ['a', 'b', 'c'].map((name) => heavyModel(root, name, 2_048)) as [LocalModel, LocalModel, LocalModel]
const large = heavyModel(root, 'large', 3_072)

/** Thirty times as fast as the real one, but a tenth at most for who waits. */
const hurried: Clock = {
  now: () => systemClock.now() * 30,
  setTimer: (ms, fire) => systemClock.setTimer(ms / 10, fire),
}

function setUp(options: Partial<HostPoolOptions> = {}, host: Partial<BunHostsOptions> = {}) {
  const told: string[] = []
  const name = ({ manifest }: LocalModel) => manifest.name
  const pool = new HostPool({
    hosts: 1,
    start: bunHosts({ threads: 1, ...host }),
    clock: systemClock,
    observer: {
      missed: (model) => told.push(`missed ${name(model)}`),
      loaded: (model) => told.push(`loaded ${name(model)}`),
      evicted: (model) => told.push(`evicted ${name(model)}`),
      recycled: (host) => told.push(`recycled ${host}`),
    },
    ...options,
  })
  pools.push(pool)
  const predictor = new BatchingPredictor({ hosts: pool, clock: fineClock })
  const predict = async (model: LocalModel) => {
    const width = model.manifest.inputs[0]?.shape[0] ?? 0
    const values = new Float32Array(width)
    const [y] = await predictor.predict(model, [{ name: 'x', datatype: 'FP32', shape: [1, width], values }])
    return y?.values[width - 1]
  }
  return { pool, predict, told }
}

const pidOf = (pool: HostPool, model: string) => pool.status().find(({ models }) => models.includes(model))?.pid

const isAlive = (pid: number) => {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

test(
  'the least recently used makes room, by what it takes; who comes back is loaded again',
  async () => {
    let passed = 0
    const clock: Clock = { ...systemClock, now: () => systemClock.now() + passed }
    const { pool, predict, told } = setUp({ budgetBytes: 48 * MB, ownHostBytes: 8 * MB, clock })
    for (const model of [a, b, a, c, b]) {
      expect(await predict(model)).toBe(1)
      passed += 60_000
    }
    const { usedBytes } = pool.memory()
    expect(usedBytes).toBeGreaterThanOrEqual(32 * MB)
    expect(usedBytes).toBeLessThanOrEqual(48 * MB)
    const order = ['missed a', 'loaded a', 'missed b', 'loaded b', 'missed c', 'evicted b', 'loaded c']
    expect(told).toEqual([...order, 'missed b', 'evicted a', 'loaded b'])
    expect(pool.stateOf(a)).toEqual({ state: 'available' })
  },
  STARTS_MS,
)

test(
  'while a large model is loaded the others answer; it has a host of its own, which ends when it makes room',
  async () => {
    const { pool, predict } = setUp({ ownHostBytes: 32 * MB, budgetBytes: 100 * MB })
    await predict(a)
    const order: string[] = []
    const loading = pool.load(large).then(() => order.push('large'))
    await predict(a).then(() => order.push('a'))
    await loading
    expect(order).toEqual(['a', 'large'])
    const pid = pidOf(pool, 'large/1') ?? Number.NaN
    expect(pid).not.toBe(pidOf(pool, 'a/1') ?? Number.NaN)
    expect(await predict(large)).toBe(1)
    expect(isAlive(pid)).toBe(true)
    await pool.unload(large)
    expect(isAlive(pid)).toBe(false)
    expect(await predict(large)).toBe(1)
  },
  STARTS_MS,
)

test(
  'a host of its own that dies is replaced when its model is asked for, and by no other',
  async () => {
    const { pool, predict } = setUp({ ownHostBytes: 32 * MB })
    await predict(large)
    const pid = pidOf(pool, 'large/1') ?? Number.NaN
    process.kill(pid, 'SIGKILL')
    // It may be that the loss is not known yet: then the first is told so, or runs again.
    await predict(large).catch(() => {})
    expect(await predict(large)).toBe(1)
    expect(pidOf(pool, 'large/1')).not.toBe(pid)
    expect(pool.status()).toHaveLength(2)
  },
  STARTS_MS,
)

test(
  'a host that leaks is replaced while it is used, and no request fails',
  async () => {
    const { pool, predict, told } = setUp(
      { clock: hurried, hostGrowthBytes: 100 * MB, budgetBytes: 100 * MB },
      { main: join(import.meta.dir, 'host/testing/leaking-main.ts') },
    )
    await predict(a)
    const first = pidOf(pool, 'a/1') ?? Number.NaN
    const after: unknown[] = []
    while (isAlive(first)) after.push(await predict(a))
    expect(after.every((value) => value === 1)).toBe(true)
    expect(told.filter((line) => line.startsWith('recycled'))).toEqual(['recycled host-1'])
    // It was there before it was gone: nobody had to wait for it.
    expect(told.filter((line) => line === 'missed a')).toHaveLength(1)
    expect(await predict(a)).toBe(1)
    expect(pool.status()).toHaveLength(1)
  },
  STARTS_MS,
)
