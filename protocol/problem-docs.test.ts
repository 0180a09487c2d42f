import { expect, test } from 'bun:test'
import { readdir } from 'node:fs/promises'
import { PROBLEM_KINDS } from './problem.ts'

test('every kind of problem has its page, and every page its kind', async () => {
  const pages = await readdir(new URL('../docs/problems', import.meta.url))
  expect(pages.sort()).toEqual(PROBLEM_KINDS.map((kind) => `${kind}.md`).sort())
})
