import { expect, test } from 'bun:test'
import { ProblemError } from '@oriel/protocol/problem'
import fc from 'fast-check'
import { type Lease, Residency } from './residency.ts'
import { ManualClock, settled } from './testing/manual-clock.ts'

interface Load {
  readonly model: string
  readonly host: string
  /** @param bytes that it took */
  done(bytes?: number, tookMs?: number): void
  fail(error: Error): void
}

function setUp({ budgetBytes = 100, maxWaitMs = 10_000 } = {}) {
  const clock = new ManualClock()
  const loads: Load[] = []
  const unloads: { model: string; host: string; done: () => void }[] = []
  const evicted: string[] = []
  const residency = new Residency<string>({
    budgetBytes,
    maxWaitMs,
    clock,
    unload: (session, host) => new Promise((done) => unloads.push({ model: session.replace(/:.*/, ''), host, done })),
  })
  const want = (
    model: string,
    bytes = 10,
    { hosts = ['a'], pinned = false, signal = undefined as AbortSignal | undefined } = {},
  ) => {
    const load = (host: string) =>
      new Promise<{ bytes: number; tookMs: number }>((resolve, reject) =>
        loads.push({ model, host, done: (took = bytes, tookMs = 0) => resolve({ bytes: took, tookMs }), fail: reject }),
      )
    const lease = residency.acquire(
      { model, bytes, pinned, choose: () => hosts.shift() ?? 'a', load, onEvicted: () => evicted.push(model) },
      signal,
    )
    lease.catch(() => {})
    return lease
  }
  /** Loaded, and in use by the caller. */
  const have = async (model: string, bytes = 10, options: Parameters<typeof want>[2] & { tookMs?: number } = {}) => {
    const lease = want(model, bytes, options)
    loads.at(-1)?.done(bytes, options.tookMs)
    return lease
  }
  /** Loaded, and idle. */
  const keep = async (...args: Parameters<typeof have>) => (await have(...args)).release()
  const loading = () => loads.map(({ model }) => model)
  return { residency, clock, loads, unloads, evicted, want, have, keep, loading }
}

const problemOf = async (lease: Promise<Lease<string>>) => {
  const error = await lease.catch((error: unknown) => error)
  return error instanceof ProblemError ? error.problem : error
}

test('a model that many ask for at once is loaded once', async () => {
  const { residency, loads, want } = setUp()
  const asked = [want('m'), want('m'), want('m')]
  expect(loads).toHaveLength(1)
  loads[0]?.done()
  expect((await Promise.all(asked)).map(({ host }) => host)).toEqual(['a', 'a', 'a'])
  expect((await want('m', 10, { hosts: ['b'] })).host).toBe('a')
  expect(residency.take('m')?.host).toBe('a')
  expect(loads).toHaveLength(1)
})

test('a failed load is told to all who waited, and the next one tries again', async () => {
  const { residency, loads, want } = setUp()
  const asked = [want('m'), want('m')]
  loads[0]?.fail(new Error('damaged'))
  expect((await Promise.allSettled(asked)).map(({ status }) => status)).toEqual(['rejected', 'rejected'])
  expect(residency.usedBytes).toBe(0)
  const again = want('m')
  loads[1]?.done()
  expect((await again).isLost).toBe(false)
})

test('a host that is gone takes its models along, and a load that ends late does not bring them back', async () => {
  const { residency, loads, want } = setUp()
  const early = want('m')
  residency.drop('a')
  const late = want('m', 10, { hosts: ['b'] })
  loads[0]?.done()
  expect((await early).isLost).toBe(true)
  expect(residency.isResident('m')).toBe(false)
  loads[1]?.done()
  expect((await late).isLost).toBe(false)
  expect(residency.residents('b')).toEqual(['m'])
  expect(residency.usedBytes).toBe(10)
})

test('for room, those go that were used longest ago and are not in use; it is loaded when they have left', async () => {
  const { residency, clock, loads, unloads, evicted, want, have, keep, loading } = setUp()
  await keep('old', 40)
  const busy = await have('busy', 30)
  await keep('used', 30)
  residency.take('old')?.release()
  await clock.advance(1)
  const fresh = want('fresh', 20)
  expect(evicted).toEqual(['used'])
  expect(residency.take('used')).toBeUndefined()
  expect(loading()).toEqual(['old', 'busy', 'used'])
  unloads[0]?.done()
  await settled()
  loads[3]?.done()
  expect((await fresh).host).toBe('a')
  expect(residency.usedBytes).toBe(90)
  busy.release()
})

test('nothing in use is thrown out: who wants room waits for the release', async () => {
  const { unloads, have, want, loading, loads } = setUp()
  const busy = await have('busy', 60)
  const next = want('next', 60)
  await settled()
  expect(unloads).toEqual([])
  busy.release()
  expect(unloads.map(({ model }) => model)).toEqual(['busy'])
  unloads[0]?.done()
  await settled()
  expect(loading()).toEqual(['busy', 'next'])
  loads[1]?.done()
  await next
})

test('what was loaded moments ago stays for ten times as long as its loading took', async () => {
  const { clock, unloads, keep, want } = setUp()
  await keep('slow', 60, { tookMs: 200 })
  void want('next', 60)
  await clock.advance(1_999)
  expect(unloads).toEqual([])
  await clock.advance(1)
  expect(unloads.map(({ model }) => model)).toEqual(['slow'])
})

test('who waits too long for room is refused, with the time when there is some', async () => {
  const { clock, keep, want, residency } = setUp({ maxWaitMs: 500 })
  await keep('slow', 60, { tookMs: 200 })
  const next = problemOf(want('next', 60))
  await clock.advance(500)
  expect(await next).toMatchObject({ kind: 'queue-full', retryAfterMs: 1_500 })
  expect(residency.usedBytes).toBe(60)
  expect(clock.timers).toBe(0)
})

test('room goes to those who wait in the order in which they came, though a later one would fit', async () => {
  const { have, want, loads, unloads, loading } = setUp()
  const busy = await have('busy', 60)
  void want('large', 80)
  void want('small', 10)
  await settled()
  expect(loading()).toEqual(['busy'])
  busy.release()
  unloads[0]?.done()
  await settled()
  expect(loading()).toEqual(['busy', 'large', 'small'])
  for (const load of loads) load.done()
})

test('who gives up waiting leaves the place to the next; who still waits for the same model keeps it', async () => {
  const { have, want, loading, residency } = setUp()
  await have('busy', 60)
  const [one, two] = [new AbortController(), new AbortController()]
  const first = want('large', 80, { signal: one.signal })
  const second = want('large', 80, { signal: two.signal })
  void want('small', 10)
  one.abort()
  expect(String(await problemOf(first))).toContain('AbortError')
  expect(loading()).toEqual(['busy'])
  two.abort()
  expect(String(await problemOf(second))).toContain('AbortError')
  expect(loading()).toEqual(['busy', 'small'])
  expect(residency.usedBytes).toBe(70)
})

test('a pinned model is never thrown out', async () => {
  const { clock, keep, want, unloads } = setUp({ maxWaitMs: 500 })
  await keep('pinned', 60, { pinned: true })
  const next = problemOf(want('next', 60))
  await clock.advance(500)
  expect(await next).toMatchObject({ kind: 'queue-full', retryAfterMs: 1_000 })
  expect(unloads).toEqual([])
})

test('a model larger than all of the memory is refused at once; one that turns out to be is taken out again', async () => {
  const { residency, loads, want, unloads } = setUp()
  expect(await problemOf(want('huge', 101))).toMatchObject({ kind: 'model-unavailable' })
  expect(loads).toEqual([])
  const surprise = want('surprise', 10)
  loads[0]?.done(200)
  expect(await problemOf(surprise)).toMatchObject({ kind: 'model-unavailable' })
  unloads[0]?.done()
  await settled()
  expect(residency.usedBytes).toBe(0)
})

test('what takes more than its files is made room for afterwards, and is expected to take as much the next time', async () => {
  const { residency, loads, unloads, evicted, keep, want } = setUp()
  await keep('a', 40)
  await keep('b', 40)
  const grown = want('grown', 20)
  loads[2]?.done(50)
  const lease = await grown
  expect(evicted).toEqual(['a'])
  unloads[0]?.done()
  await settled()
  expect(residency.usedBytes).toBe(90)
  residency.grew(lease.session, 'a', 70)
  expect(evicted).toEqual(['a', 'b'])
  unloads[1]?.done()
  await settled()
  lease.release()
  void want('other', 40)
  expect(evicted).toEqual(['a', 'b', 'grown'])
  unloads[2]?.done()
  await settled()
  void want('grown', 20)
  loads.at(-1)?.done()
  // 40 and 70 are too many: it was remembered.
  expect(residency.usedBytes).toBe(40)
})

test('a model that is forgotten goes after the last who use it, and who asks then loads it anew', async () => {
  const { residency, have, want, unloads, loads } = setUp()
  const lease = await have('m')
  const gone = residency.forget('m')
  const next = want('m')
  expect(unloads).toEqual([])
  lease.release()
  unloads[0]?.done()
  await gone
  loads[1]?.done()
  expect((await next).isLost).toBe(false)
  expect(residency.usedBytes).toBe(10)
})

test('a host is emptied into others while there is room: those who use a model there end there', async () => {
  const { residency, want, loads, unloads } = setUp()
  const hosts = ['a', 'b']
  const first = want('m', 40, { hosts })
  loads[0]?.done()
  const old = await first
  const recycled = residency.recycle('a')
  const meanwhile = residency.take('m')
  expect([old.host, meanwhile?.host]).toEqual(['a', 'a'])
  loads[1]?.done()
  await settled()
  const fresh = residency.take('m')
  expect(fresh?.host).toBe('b')
  old.release()
  expect(unloads).toEqual([])
  meanwhile?.release()
  expect(unloads.map(({ host }) => host)).toEqual(['a'])
  unloads[0]?.done()
  await recycled
  expect(residency.usedBytes).toBe(40)
})

test('a host that is emptied without room for copies lets go of what nobody uses, and of the rest when it is released', async () => {
  const { residency, have, keep, unloads } = setUp()
  await keep('idle', 40)
  const busy = await have('busy', 60)
  let done = false
  const recycled = residency.recycle('a').then(() => {
    done = true
  })
  expect(unloads.map(({ model }) => model)).toEqual(['idle'])
  expect(busy.isLost).toBe(false)
  busy.release()
  expect(unloads.map(({ model }) => model)).toEqual(['idle', 'busy'])
  expect(done).toBe(false)
  for (const unload of unloads) unload.done()
  await recycled
})

test('in whatever order things happen: the budget holds, nothing in use goes, nobody is forgotten', async () => {
  const model = fc.constantFrom('m', 'n', 'o', 'p', 'q')
  const host = fc.constantFrom('a', 'b')
  const index = fc.nat(5)
  const action = fc.oneof(
    { weight: 5, arbitrary: fc.record({ type: fc.constant('acquire' as const), model, host }) },
    { weight: 4, arbitrary: fc.record({ type: fc.constant('release' as const), index }) },
    {
      weight: 4,
      arbitrary: fc.record({ type: fc.constant('loaded' as const), index, extra: fc.nat(30), fails: fc.boolean() }),
    },
    { weight: 4, arbitrary: fc.record({ type: fc.constant('unloaded' as const), index }) },
    { weight: 2, arbitrary: fc.record({ type: fc.constant('wait' as const), ms: fc.nat(3_000) }) },
    { weight: 1, arbitrary: fc.record({ type: fc.constant('abort' as const), index }) },
    { weight: 1, arbitrary: fc.record({ type: fc.constant('forget' as const), model }) },
    { weight: 1, arbitrary: fc.record({ type: fc.constant('grew' as const), model, host, bytes: fc.nat(90) }) },
    { weight: 1, arbitrary: fc.record({ type: fc.constant('lose' as const), host }) },
    { weight: 1, arbitrary: fc.record({ type: fc.constant('recycle' as const), host }) },
  )
  const SIZES: Record<string, number> = { m: 10, n: 20, o: 40, p: 60, q: 100 }
  await fc.assert(
    fc.asyncProperty(fc.array(action, { maxLength: 80, size: 'max' }), async (actions) => {
      const clock = new ManualClock()
      /** What is really in the hosts, by itself: from the beginning of a load to the end of an unload. */
      const held = new Set<{ model: string; host: string; session: string; bytes: number }>()
      const loads: { model: string; host: string; end: (extra: number, fails: boolean) => void }[] = []
      const unloads: { host: string; end: () => void }[] = []
      const leases: Lease<string>[] = []
      const waiting = new Set<AbortController>()
      const recycling = new Set<string>()
      /** From then on a model may come while it goes. */
      let letGo = false
      /** Told at the end: what is thrown in a load is a failed load. */
      const wrong: string[] = []
      const residency = new Residency<string>({
        budgetBytes: 100,
        clock,
        unload(session, host) {
          const uses = leases.filter((lease) => lease.session === session && !lease.isLost)
          if (uses.length > 0) wrong.push(`${session} is taken out of ${host} while it is used`)
          const copy = [...held].find((copy) => copy.session === session)
          return new Promise((resolve) => {
            const end = () => {
              unloads.splice(unloads.indexOf(unload), 1)
              if (copy) held.delete(copy)
              resolve()
            }
            const unload = { host, end }
            unloads.push(unload)
          })
        },
      })
      const acquire = (model: string, host: string) => {
        const bytes = SIZES[model] ?? 0
        const load = (host: string, session: string) =>
          new Promise<{ bytes: number; tookMs: number }>((resolve, reject) => {
            const copy = { model, host, session, bytes }
            held.add(copy)
            const total = [...held].reduce((sum, { bytes }) => sum + bytes, 0)
            if (total > 100) wrong.push(`${total} bytes are held when ${model} is loaded`)
            if (!letGo && loads.some((load) => load.model === model)) wrong.push(`${model} is loaded twice`)
            const entry = {
              model,
              host,
              end(extra: number, fails: boolean) {
                loads.splice(loads.indexOf(entry), 1)
                if (!fails) copy.bytes += extra
                else held.delete(copy)
                fails ? reject(new Error('load')) : resolve({ bytes: copy.bytes, tookMs: 100 })
              },
            }
            loads.push(entry)
          })
        const abort = new AbortController()
        waiting.add(abort)
        const choose = () => (recycling.has(host) ? `new ${host}` : host)
        residency.acquire({ model, bytes, pinned: model === 'n', choose, load, onEvicted() {} }, abort.signal).then(
          (lease) => {
            waiting.delete(abort)
            leases.push(lease)
          },
          () => waiting.delete(abort),
        )
      }
      const release = (index: number) => leases.splice(index, 1)[0]?.release()
      for (const step of actions) {
        if (step.type === 'acquire') acquire(step.model, step.host)
        else if (step.type === 'release') release(step.index)
        else if (step.type === 'loaded') loads[step.index]?.end(step.extra, step.fails)
        else if (step.type === 'unloaded') unloads[step.index]?.end()
        else if (step.type === 'wait') await clock.advance(step.ms)
        else if (step.type === 'abort') [...waiting][step.index]?.abort()
        else if (step.type === 'forget') {
          letGo = true
          void residency.forget(step.model)
        } else if (step.type === 'recycle') {
          letGo = true
          recycling.add(step.host)
          void residency.recycle(step.host)
        } else if (step.type === 'grew') {
          for (const copy of held) {
            if (
              copy.model !== step.model ||
              copy.host !== step.host ||
              !residency.residents(step.host).includes(step.model)
            )
              continue
            copy.bytes = Math.max(SIZES[step.model] ?? 0, step.bytes)
            residency.grew(copy.session, step.host, step.bytes)
          }
        } else {
          for (const copy of held) if (copy.host === step.host) held.delete(copy)
          residency.drop(step.host)
          for (const load of loads.filter(({ host }) => host === step.host)) load.end(0, true)
        }
        await settled()
        for (const { session, isLost } of leases) {
          expect(isLost || [...held].some((copy) => copy.session === session)).toBe(true)
        }
      }
      // Everybody lets go and time goes on: whoever waits gets it, or is refused.
      for (let round = 0; round < 200 && waiting.size + held.size + clock.timers > 0; round++) {
        while (leases.length > 0) release(0)
        for (const load of [...loads]) load.end(0, false)
        for (const unload of [...unloads]) unload.end()
        await clock.advance(1_000)
        if (waiting.size === 0) for (const model of Object.keys(SIZES)) void residency.forget(model)
      }
      expect(wrong).toEqual([])
      expect(waiting.size).toBe(0)
      expect(residency.usedBytes).toBe(0)
      expect(clock.timers).toBe(0)
    }),
    { numRuns: 300 },
  )
})
