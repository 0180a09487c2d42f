import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { Attachment } from './attachment.ts'
import type { PrintedEntry } from './log-entry.ts'

/** A log in memory: sequences with holes between them, as a shared stream has. The last entry may end it. */
const logOf = (gaps: number[], ends = false): (PrintedEntry & { sequence: number })[] => {
  let sequence = 0
  return gaps.map((gap, index) => {
    sequence += gap
    const terminal = ends && index === gaps.length - 1
    return { sequence, n: index + 1, at: 0, type: 'responses', terminal, text: '' }
  })
}

/** As it comes live: without its sequence. */
const live = ({ sequence: _, ...entry }: PrintedEntry): PrintedEntry => entry

const settled = async () => {
  for (let turn = 0; turn < 50; turn += 1) await Promise.resolve()
}

test('whatever is lost, late or refused on the way, each entry leaves once and in order', async () => {
  const step = fc.oneof(
    fc.record({ do: fc.constant('store' as const), live: fc.constantFrom('in time', 'lost', 'twice', 'late') }),
    fc.record({ do: fc.constantFrom('pull' as const, 'resync' as const, 'renew' as const, 'turn' as const) }),
  )
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 40 }),
      fc.array(step, { maxLength: 120 }),
      fc.nat({ max: 5 }),
      fc.integer({ min: 1, max: 5 }),
      fc.integer({ min: 1, max: 4 }),
      async (gaps, steps, after, room, pageSize) => {
        let whole = logOf(gaps, true)
        let stored = 0
        let late: PrintedEntry[] = []
        const out: number[] = []
        let ends = 0
        let free = room
        const attachment = new Attachment(
          after,
          async ({ sequence }) => {
            const rest = whole.slice(0, stored).filter((entry) => entry.sequence > sequence)
            return { entries: rest.slice(0, pageSize), more: rest.length > pageSize }
          },
          {
            write: ({ n }) => {
              out.push(n)
              free -= 1
              return free > 0
            },
            end: () => {
              ends += 1
            },
            fail: (error) => {
              throw error
            },
          },
        )
        const pull = () => {
          free = room
          attachment.pulled()
        }
        for (const action of steps) {
          const next = whole[stored]
          if (action.do === 'turn') await settled()
          else if (action.do === 'pull') pull()
          else if (action.do === 'resync') attachment.resync()
          else if (action.do === 'renew') {
            // The broker lost its state, and the same log stands there again under other sequences.
            whole = logOf(gaps.toReversed(), true)
            attachment.resync(true)
          } else if (next && action.do === 'store') {
            stored += 1
            if (action.live === 'late') late.push(live(next))
            if (action.live === 'in time' || action.live === 'twice') attachment.arrived(live(next))
            if (action.live === 'twice') attachment.arrived(live(next))
            for (const entry of action.live === 'late' ? [] : late.splice(0)) attachment.arrived(entry)
          }
        }
        late = []
        // At the end whoever reads on has everything: the sweep resyncs, the reader pulls.
        for (let turn = 0; turn < 2 * whole.length + 2; turn += 1) {
          attachment.resync()
          await settled()
          pull()
          await settled()
        }
        const ended = stored === whole.length
        const news = whole.slice(0, stored).filter(({ n, terminal }) => n > after || (terminal && n < after))
        expect(out).toEqual(news.map(({ n }) => n))
        expect(ends).toBe(ended ? 1 : 0)
        if (ended) expect(attachment.mode).toBe('closed')
      },
    ),
    { numRuns: 300 },
  )
})

test('an unbroken live stream never reads the log', async () => {
  let reads = 0
  const out: number[] = []
  const attachment = new Attachment(
    0,
    async () => {
      reads += 1
      return { entries: [], more: false }
    },
    { write: ({ n }) => out.push(n) > 0, end: () => undefined, fail: () => undefined },
  )
  for (const entry of logOf([2, 1, 5])) attachment.arrived(live(entry))
  await settled()
  expect({ out, reads }).toEqual({ out: [1, 2, 3], reads: 0 })
})

test('a closed attachment writes nothing more, even when a read is under way', async () => {
  const { promise, resolve } = Promise.withResolvers<void>()
  const out: number[] = []
  const attachment = new Attachment(
    0,
    async () => {
      await promise
      return { entries: logOf([1, 1]), more: false }
    },
    { write: ({ n }) => out.push(n) > 0, end: () => undefined, fail: () => undefined },
  )
  attachment.resync()
  attachment.close()
  resolve()
  await settled()
  expect(out).toEqual([])
})

test('a read that fails ends the stream with the error', async () => {
  const failures: unknown[] = []
  const attachment = new Attachment(0, () => Promise.reject(new Error('no broker')), {
    write: () => true,
    end: () => undefined,
    fail: (error) => failures.push(error),
  })
  attachment.resync()
  await settled()
  expect(failures).toEqual([new Error('no broker')])
  expect(attachment.mode).toBe('closed')
})
