// Answers what it is asked, as a process of its own: so does a node.
import { connect } from '@nats-io/transport-node'

const nc = await connect({ servers: process.env.NATS_URL ?? '', user: 'admin', pass: process.env.NATS_PASSWORD ?? '' })
nc.subscribe('bench.echo', { callback: (_, message) => void message.respond(message.data) })
await nc.flush()
console.log('ready')
