import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { jetstreamManager } from '@nats-io/jetstream'
import { Kvm } from '@nats-io/kv'
import { connect, type NatsConnection } from '@nats-io/transport-node'
import { freePort } from '@oriel/db/testing/postgres-server'
import { findNatsServer } from '@oriel/dev/nats-server'
import { type Permissions, RECORDER_PERMISSIONS } from '@oriel/protocol/permissions'
import { BUCKETS, MAX_PAYLOAD_BYTES, RECORDER_CONSUMER, STREAMS } from '@oriel/protocol/streams'
import { HISTORY } from '@oriel/protocol/subjects'

export interface NatsServer {
  readonly url: string
  /** The identity that may do everything. */
  readonly admin: NatsConnection
  /** Ends it without a chance to write anything. */
  kill(): Promise<void>
  start(): void
  /** Ends it and removes its data. */
  stop(): Promise<void>
}

/** A real nats-server that enforces the recorder's permissions, with the streams, buckets and consumer it needs. */
export async function startNats(): Promise<NatsServer> {
  const folder = await mkdtemp(join(tmpdir(), 'oriel-nats-'))
  const port = await freePort()
  const config = {
    host: '127.0.0.1',
    port,
    max_payload: MAX_PAYLOAD_BYTES,
    jetstream: { store_dir: folder },
    authorization: {
      users: [
        { user: 'admin', password: 'admin' },
        { user: 'recorder', password: 'recorder', permissions: allowed(RECORDER_PERMISSIONS) },
      ],
    },
  }
  const file = join(folder, 'nats.conf')
  await writeFile(file, JSON.stringify(config))
  const program = await findNatsServer(() => {})
  const start = () => Bun.spawn([program, '-c', file], { stdout: 'ignore', stderr: 'ignore' })
  let server = start()
  const kill = async () => {
    server.kill('SIGKILL')
    await server.exited
  }
  const url = `nats://127.0.0.1:${port}`
  const admin = await connect({
    servers: url,
    user: 'admin',
    pass: 'admin',
    waitOnFirstConnect: true,
    reconnectTimeWait: 50,
    maxReconnectAttempts: -1,
  })
  const jsm = await jetstreamManager(admin)
  for (const stream of STREAMS) await jsm.streams.add({ ...stream, subjects: [...stream.subjects] })
  await jsm.consumers.add(HISTORY, RECORDER_CONSUMER)
  for (const { name, ttlMs } of BUCKETS) await new Kvm(admin).create(name, { ttl: ttlMs })
  return {
    url,
    admin,
    kill,
    start() {
      server = start()
    },
    async stop() {
      await admin.close()
      await kill()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

const allowed = ({ publish, subscribe }: Permissions) => ({ publish: [...publish], subscribe: [...subscribe] })
