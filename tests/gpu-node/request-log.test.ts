import { afterAll, beforeAll, describe } from 'bun:test'
import { connect } from '@nats-io/transport-node'
import { JetStreamRequestLog } from '../../gpu-node/jetstream-request-log.ts'
import { NatsLink } from '../../gpu-node/nats-link.ts'
import { requestLogSuite } from '../../gpu-node/request-log-suite.ts'
import { TestBroker } from './broker.ts'

describe('JetStream', () => {
  let broker: TestBroker
  let link: NatsLink

  beforeAll(async () => {
    broker = await TestBroker.start()
    const nc = await connect({ servers: broker.url, user: 'node', pass: 'node', inboxPrefix: '_INBOX_node' })
    link = new NatsLink(nc)
  })
  afterAll(async () => {
    await link.nc.close()
    await broker[Symbol.asyncDispose]()
  })

  requestLogSuite(async () => new JetStreamRequestLog(link))
})
