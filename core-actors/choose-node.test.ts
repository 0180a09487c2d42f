import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { type Candidate, chooseNode, SPILL } from './choose-node.ts'

const node = (name: string, changes: Partial<Candidate> = {}): Candidate => ({
  node: name,
  home: true,
  loaded: true,
  ...changes,
})
const busy = (counts: Record<string, number>) => (name: string) => counts[name] ?? 0

describe('a node is chosen', () => {
  test('at home before any other, though it has to load the model', () => {
    const nodes = [node('a', { home: false }), node('b', { loaded: false })]
    expect(chooseNode(nodes, busy({ b: 10 }), 0)).toBe('b')
  })

  test('anywhere when nobody is at home', () => {
    expect(chooseNode([node('a', { home: false })], busy({}), 0)).toBe('a')
  })

  test('that has the model in memory, until it has too much to do', () => {
    const nodes = [node('a'), node('b', { loaded: false })]
    expect(chooseNode(nodes, busy({ a: SPILL - 1 }), 0)).toBe('a')
    expect(chooseNode(nodes, busy({ a: SPILL }), 0)).toBe('b')
  })

  test('with the least to do', () => {
    expect(chooseNode([node('a'), node('b'), node('c')], busy({ a: 2, b: 1, c: 3 }), 0.9)).toBe('b')
  })

  test('of several that are as good by chance', () => {
    const nodes = [node('a'), node('b')]
    expect([0, 0.49, 0.5, 0.99].map((random) => chooseNode(nodes, busy({}), random))).toEqual(['a', 'a', 'b', 'b'])
  })

  test('whenever there is one', () => {
    const candidate = fc.record({ node: fc.constantFrom('a', 'b', 'c'), home: fc.boolean(), loaded: fc.boolean() })
    const nodes = fc.uniqueArray(candidate, { selector: ({ node }) => node })
    fc.assert(
      fc.property(
        nodes,
        fc.dictionary(fc.string(), fc.nat(200)),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        (all, counts, r) => {
          const chosen = chooseNode(all, busy(counts), r)
          expect(all.length === 0 ? chosen === undefined : all.some(({ node }) => node === chosen)).toBe(true)
        },
      ),
    )
  })
})
