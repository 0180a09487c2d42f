import { expect, test } from 'bun:test'
import { ManualClock } from '../testing/manual-clock.ts'
import { Watcher } from './watcher.ts'

function setUp() {
  const clock = new ManualClock()
  const seen = { folder: 'a', changes: [] as string[], errors: [] as string[], fails: false }
  const watcher = new Watcher(
    {
      everyMs: 1_000,
      clock,
      look: async () => {
        if (seen.folder === 'gone') throw new Error('gone')
        return seen.folder
      },
      onChange: async () => {
        if (seen.fails) throw new Error('not taken up')
        seen.changes.push(seen.folder)
      },
      onError: (error) => seen.errors.push(String(error)),
    },
    'a',
  )
  watcher.run()
  return { clock, seen, watcher }
}

test('a change is taken up when it has stood still for a look, and once', async () => {
  const { clock, seen } = setUp()
  await clock.advance(3_000)
  expect(seen.changes).toEqual([])
  seen.folder = 'half copied'
  await clock.advance(1_000)
  seen.folder = 'b'
  await clock.advance(1_000)
  expect(seen.changes).toEqual([])
  await clock.advance(5_000)
  expect(seen.changes).toEqual(['b'])
})

test('what could not be read or taken up is looked at again', async () => {
  const { clock, seen } = setUp()
  seen.folder = 'gone'
  await clock.advance(1_000)
  seen.folder = 'b'
  seen.fails = true
  await clock.advance(2_000)
  expect([seen.errors, seen.changes]).toEqual([['Error: gone', 'Error: not taken up'], []])
  seen.fails = false
  await clock.advance(1_000)
  expect(seen.changes).toEqual(['b'])
})

test('a watcher that was stopped leaves no timer', async () => {
  const { clock, watcher } = setUp()
  await clock.advance(1_000)
  await watcher.stop()
  expect(clock.timers).toBe(0)
})
