import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { EntryDecoder, encodeEntries } from './log-entry.ts'

test('entries survive a stream that is cut anywhere', () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ sequence: fc.integer({ min: 1 }), response: fc.string({ unit: 'binary' }) }), {
        maxLength: 8,
      }),
      fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 20 }),
      (items, cuts) => {
        const entries = items.map(({ sequence, response }, index) => ({
          sequence,
          event: { n: index + 1, at: 1, type: 'responses' as const, response },
        }))
        const raw = entries.map(({ sequence, event }) => ({
          sequence,
          payload: new TextEncoder().encode(JSON.stringify(event)),
        }))
        const bytes = [...encodeEntries(raw)]
        const decoder = new EntryDecoder()
        const decoded = []
        for (let at = 0, cut = 0; at < bytes.length; cut += 1) {
          const size = cuts[cut % cuts.length] ?? 1
          decoded.push(...decoder.decode(Uint8Array.from(bytes.slice(at, at + size))))
          at += size
        }
        const whole = decoded.map(({ sequence, event }) => ({ sequence, event }))
        expect(whole).toEqual(JSON.parse(JSON.stringify(entries)))
      },
    ),
  )
})
