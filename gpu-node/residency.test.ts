import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { Residency } from './residency.ts'

/** Loads that end at command. */
function loads() {
  const open: { host: string; resolve: () => void; reject: (error: Error) => void }[] = []
  const load = (host: string) =>
    new Promise<void>((resolve, reject) => {
      open.push({ host, resolve, reject })
    })
  return { open, load }
}

test('a model that many ask for at once is loaded once', async () => {
  const { open, load } = loads()
  const residency = new Residency<string>()
  const asked = [1, 2, 3].map(() => residency.acquire('m', () => 'a', load))
  expect(open).toHaveLength(1)
  open[0]?.resolve()
  expect(await Promise.all(asked)).toEqual(['a', 'a', 'a'])
  expect(await residency.acquire('m', () => 'b', load)).toBe('a')
  expect(open).toHaveLength(1)
})

test('a failed load is told to all who waited, and the next one tries again', async () => {
  const { open, load } = loads()
  const residency = new Residency<string>()
  const asked = [1, 2].map(() => residency.acquire('m', () => 'a', load))
  open[0]?.reject(new Error('damaged'))
  expect((await Promise.allSettled(asked)).map((result) => result.status)).toEqual(['rejected', 'rejected'])
  const again = residency.acquire('m', () => 'b', load)
  open[1]?.resolve()
  expect(await again).toBe('b')
})

test('a host that is gone takes its models along, and a load that ends late does not bring them back', async () => {
  const { open, load } = loads()
  const residency = new Residency<string>()
  const early = residency.acquire('m', () => 'a', load)
  residency.drop('a')
  const late = residency.acquire('m', () => 'b', load)
  open[0]?.resolve()
  await early
  expect(residency.isResident('m', 'a')).toBe(false)
  expect(residency.isResident('m', 'b')).toBe(false)
  open[1]?.resolve()
  expect(await late).toBe('b')
  expect(residency.residents('b')).toEqual(['m'])
})

test('whatever happens in whatever order, a model is in one host or none, and never loads twice at a time', async () => {
  const model = fc.constantFrom('m', 'n', 'o')
  const host = fc.constantFrom('a', 'b')
  const action = fc.oneof(
    fc.record({ type: fc.constant('acquire' as const), model, host }),
    fc.record({ type: fc.constant('end' as const), index: fc.nat(5), fails: fc.boolean() }),
    fc.record({ type: fc.constant('drop' as const), host }),
  )
  await fc.assert(
    fc.asyncProperty(fc.array(action, { maxLength: 40 }), async (actions) => {
      const residency = new Residency<string>()
      const loading: { model: string; host: string; end: (fails: boolean) => void }[] = []
      const answers: Promise<unknown>[] = []
      for (const step of actions) {
        if (step.type === 'drop') {
          residency.drop(step.host)
          for (const load of loading.filter((load) => load.host === step.host)) load.end(true)
        } else if (step.type === 'end') {
          loading[step.index]?.end(step.fails)
        } else {
          const load = (chosen: string) =>
            new Promise<void>((resolve, reject) => {
              expect(loading.some((other) => other.model === step.model)).toBe(false)
              const entry = {
                model: step.model,
                host: chosen,
                end(fails: boolean) {
                  loading.splice(loading.indexOf(entry), 1)
                  fails ? reject(new Error('load')) : resolve()
                },
              }
              loading.push(entry)
            })
          answers.push(residency.acquire(step.model, () => step.host, load).catch(() => {}))
        }
        await Promise.resolve()
        for (const name of ['m', 'n', 'o']) {
          expect(['a', 'b'].filter((at) => residency.isResident(name, at)).length).toBeLessThanOrEqual(1)
        }
      }
      while (loading[0]) loading[0].end(false)
      await Promise.all(answers)
      expect(residency.load('a') + residency.load('b')).toBe(
        residency.residents('a').length + residency.residents('b').length,
      )
    }),
  )
})
