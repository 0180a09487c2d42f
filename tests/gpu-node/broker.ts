import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { jetstreamManager } from '@nats-io/jetstream'
import { Kvm } from '@nats-io/kv'
import { connect } from '@nats-io/transport-node'
import { findNatsServer } from '@oriel/dev/nats-server'
import { NODE_PERMISSIONS } from '@oriel/protocol/permissions'
import type { Placement } from '@oriel/protocol/placement'
import { BUCKETS, jobsConsumers, MAX_PAYLOAD_BYTES, STREAMS } from '@oriel/protocol/streams'
import { PLACEMENT, PLAN } from '@oriel/protocol/subjects'

/** A real nats-server of one test, on a port that stays its own across restarts. */
export class TestBroker {
  readonly port: number
  readonly #dir: string
  #process: Bun.Subprocess | undefined

  private constructor(port: number, dir: string) {
    this.port = port
    this.#dir = dir
  }

  static async start(partitions = 1): Promise<TestBroker> {
    const probe = Bun.listen({ hostname: '127.0.0.1', port: 0, socket: { data() {} } })
    const { port } = probe
    probe.stop(true)
    const broker = new TestBroker(port, mkdtempSync(join(tmpdir(), 'oriel-broker-')))
    await broker.up()
    await broker.provision(partitions)
    return broker
  }

  get url(): string {
    return `nats://127.0.0.1:${this.port}`
  }

  /** What a node's environment says of this broker. */
  get nodeEnv() {
    return { ORIEL_NATS_URL: this.url, ORIEL_NATS_USER: 'node', ORIEL_NATS_PASSWORD: 'node' }
  }

  async up(): Promise<void> {
    const config = join(this.#dir, 'nats.conf')
    const { publish, subscribe } = NODE_PERMISSIONS
    const node = { user: 'node', password: 'node', permissions: { publish, subscribe } }
    const users = [{ user: 'admin', password: 'admin' }, node]
    const jetstream = { store_dir: join(this.#dir, 'jetstream') }
    const settings = { host: '127.0.0.1', port: this.port, max_payload: MAX_PAYLOAD_BYTES, jetstream }
    // nats-server reads JSON as one of the forms of its configuration.
    await Bun.write(config, JSON.stringify({ ...settings, authorization: { users } }))
    const command = [await findNatsServer(() => {}), '-c', config]
    this.#process = Bun.spawn(command, { stdout: 'ignore', stderr: Bun.file(join(this.#dir, 'nats.log')) })
    const nc = await this.connect()
    await nc.close()
  }

  async down(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    this.#process?.kill(signal)
    await this.#process?.exited
  }

  /** As after a disk was lost: nothing that was ever published or created is there. */
  loseState(): void {
    rmSync(join(this.#dir, 'jetstream'), { recursive: true, force: true })
  }

  connect() {
    return connect({
      servers: this.url,
      user: 'admin',
      pass: 'admin',
      waitOnFirstConnect: true,
      reconnectTimeWait: 50,
      maxReconnectAttempts: -1,
    })
  }

  async provision(partitions: number): Promise<void> {
    const nc = await this.connect()
    const jsm = await jetstreamManager(nc)
    for (const stream of STREAMS) await jsm.streams.add({ ...stream, subjects: [...stream.subjects] })
    for (const consumer of jobsConsumers(partitions)) await jsm.consumers.add('JOBS', consumer)
    for (const { name, ttlMs } of BUCKETS) await new Kvm(nc).create(name, { ttl: ttlMs })
    const plan: Placement = { partitions, models: {} }
    await (await new Kvm(nc).open(PLACEMENT)).put(PLAN, JSON.stringify(plan))
    await nc.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.down('SIGKILL')
    rmSync(this.#dir, { recursive: true, force: true })
  }
}
