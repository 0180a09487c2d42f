import { expect, test } from 'bun:test'
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { LogFollower } from './log-follower.ts'

test('only what is added is printed, line by line, with the name of its part', () => {
  const folder = mkdtempSync(join(tmpdir(), 'oriel-logs-'))
  writeFileSync(join(folder, 'edge.log'), 'yesterday\n')
  const printed: string[] = []
  const follower = new LogFollower(folder, (line) => printed.push(line))
  appendFileSync(join(folder, 'edge.log'), 'one\ntw')
  writeFileSync(join(folder, 'nats.log'), 'new\n')
  appendFileSync(join(folder, 'edge.log'), 'o\n')
  follower.stop()
  rmSync(folder, { recursive: true })
  expect(printed.sort()).toEqual(['edge | one', 'edge | two', 'nats | new'])
})
