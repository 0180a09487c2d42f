import { expect, test } from 'bun:test'
import { statusTable } from './status.ts'

test('the table has a line for each part and each model that is unavailable', () => {
  const table = statusTable({
    url: 'http://127.0.0.1:8787',
    parts: [
      { name: 'postgres', kind: 'postgres', mode: 'running', pid: 12, address: '127.0.0.1:5432' },
      { name: 'node-1', kind: 'node', mode: 'waiting', pid: null, address: null },
    ],
    unavailable: ['model typo 1 is unavailable on node-1: manifest.json: not JSON.'],
  })
  expect(table).toBe(`http://127.0.0.1:8787

part      state    address         pid
postgres  running  127.0.0.1:5432  12
node-1    waiting  -               -

model typo 1 is unavailable on node-1: manifest.json: not JSON.`)
})
