import { afterAll, beforeAll, expect, test } from 'bun:test'
import { connect } from '@nats-io/transport-node'
import { brokerAnswers } from '@oriel/core-actors/broker-answers'
import { TcpProxy } from '../chaos/proxy.ts'
import { type NatsServer, startNats } from '../db/nats-server.ts'

let nats: NatsServer
let proxy: TcpProxy
beforeAll(async () => {
  nats = await startNats()
  proxy = await TcpProxy.listen()
  proxy.target = Number(new URL(nats.url).port)
}, 60_000)
afterAll(async () => {
  await proxy.close()
  await nats.stop()
})

test('a broker behind a half-open connection is not there, long before pings find it', async () => {
  const servers = `nats://127.0.0.1:${proxy.port}`
  const nc = await connect({ servers, user: 'admin', pass: 'admin', reconnect: false, pingInterval: 600_000 })
  expect(await brokerAnswers(nc)).toBe(true)
  proxy.become('hole')
  expect(await brokerAnswers(nc)).toBe(false)
  expect(nc.isClosed()).toBe(false)
  proxy.become('open')
  await nc.close()
  expect(await brokerAnswers(nc)).toBe(false)
})
