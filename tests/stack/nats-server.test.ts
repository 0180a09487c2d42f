import { expect, test } from 'bun:test'
import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { GO_TOOLS } from '@oriel/dev/go-tool'
import { Workplace } from './dev-process.ts'

/** A machine with a shell and its usual tools, an empty cache and no way out to the internet. */
function bare(place: Workplace, more: Record<string, string> = {}) {
  const proxy = 'http://127.0.0.1:9' // the discard port, where nobody listens
  return {
    PATH: '/usr/bin:/bin',
    ORIEL_CACHE_DIR: join(place.path, 'cache'),
    HTTPS_PROXY: proxy,
    https_proxy: proxy,
    ...more,
  }
}

test('no nats-server and no Go: the error says what was tried and how to get one', async () => {
  await using place = new Workplace()
  const { code, err, out } = await place.run(['dev'], bare(place))
  const said = out + err
  expect(code).toBe(1)
  expect(said).toContain('Oriel needs nats-server 2.12 or newer')
  expect(said).toContain('no Go to build it with')
  for (const way of ['brew install nats-server', 'apt install nats-server', 'go install github.com/nats-io']) {
    expect(said).toContain(way)
  }
})

test('a nats-server that is too old is passed over, and when it was asked for by name refused', async () => {
  await using place = new Workplace()
  const bin = join(place.path, 'bin')
  const old = join(bin, 'nats-server')
  mkdirSync(bin)
  writeFileSync(old, '#!/bin/sh\necho "nats-server: v2.9.10"\n')
  chmodSync(old, 0o755)
  const onPath = await place.run(['dev'], bare(place, { PATH: `${bin}:/usr/bin:/bin` }))
  expect(onPath.code).toBe(1)
  expect(onPath.out + onPath.err).toContain('it is 2.9.10 and Oriel needs 2.12 or newer')
  const named = await place.run(['dev'], bare(place, { NATS_SERVER_BIN: old }))
  expect(named.code).toBe(1)
  expect(named.out + named.err).toContain('NATS_SERVER_BIN')
})

test('a cached nats-server that does not run is not kept', async () => {
  await using place = new Workplace()
  const cache = join(place.path, 'cache')
  const damaged = join(cache, `nats-server-${GO_TOOLS['nats-server'].version}`)
  mkdirSync(cache)
  writeFileSync(damaged, 'cut off', { mode: 0o755 })
  const { code } = await place.run(['dev'], bare(place))
  expect(code).toBe(1)
  expect(existsSync(damaged)).toBe(false)
})
