import { expect, test } from 'bun:test'
import { npmChain } from './launcher.ts'

const above = (...words: string[]) => npmChain(words.map((line) => ({ words: line }))).map((row) => row.words)

test('npx and what stands between it and us is watched, and nothing above it', () => {
  const chain = ['/usr/lib/bun.exe run dev', 'sh -c bun run dev', 'npm exec bun@1.4.5 run dev']
  expect(above(...chain, 'bash -c npx bun run dev & sleep 8')).toEqual(chain)
  expect(above('/usr/bin/node /usr/bin/npx -y bun run dev')).toHaveLength(1)
})

test('without npm nothing is watched', () => {
  expect(above('bun run dev', 'bash -c nohup bun run dev & sleep 8')).toEqual([])
})
