import { afterAll, afterEach, beforeAll, expect, test } from 'bun:test'
import { fileURLToPath } from 'node:url'
import { jetstream, jetstreamManager } from '@nats-io/jetstream'
import { Kvm } from '@nats-io/kv'
import { connect } from '@nats-io/transport-node'
import { History } from '@oriel/db/history'
import { migrate } from '@oriel/db/migrate'
import { accepted, ended, logOf } from '@oriel/db/testing/facts'
import { type PostgresServer, startPostgres } from '@oriel/db/testing/postgres-server'
import type { Accepted } from '@oriel/protocol/fact'
import type { Manifest } from '@oriel/protocol/manifest'
import { acceptedSubject, endedSubject, HISTORY, MODELS, modelKey, NODES, RECORDER } from '@oriel/protocol/subjects'
import { nodeStatus } from '@oriel/protocol/testing'
import postgres, { type Sql } from 'postgres'
import { TcpProxy } from '../chaos/proxy.ts'
import { type NatsServer, startNats } from './nats-server.ts'

let server: PostgresServer
let nats: NatsServer
let client: Sql
let history: History
let recorder: RecorderProcess | undefined

beforeAll(async () => {
  ;[server, nats] = await Promise.all([startPostgres(), startNats()])
  await migrate(server.url)
  client = postgres(server.url, { fetch_types: false })
  history = new History(client)
}, 60_000)

afterEach(async () => {
  // Not killed: what it has written and not yet acknowledged would come to the next test's.
  recorder?.stop()
  await recorder?.exited
  recorder = undefined
})

afterAll(async () => {
  await client.end()
  await nats.stop()
  await server.remove()
})

type RecorderProcess = ReturnType<typeof startRecorder>

const main = fileURLToPath(import.meta.resolve('@oriel/db/recorder-main'))

/** With the recorder's own identity, whose permissions the broker enforces. */
function startRecorder(env: Record<string, string> = {}) {
  const process = Bun.spawn(['bun', main], {
    env: {
      ...Bun.env,
      ORIEL_NATS_URL: nats.url,
      ORIEL_NATS_USER: 'recorder',
      ORIEL_NATS_PASSWORD: 'recorder',
      ORIEL_DATABASE_URL: server.url,
      ...env,
    },
    stdin: 'pipe',
    stdout: 'pipe',
    stderr: 'inherit',
  })
  const lines: { msg: string; [field: string]: unknown }[] = []
  const waiting = new Set<() => void>()
  void (async () => {
    let rest = ''
    for await (const chunk of process.stdout.pipeThrough(new TextDecoderStream())) {
      const whole = (rest + chunk).split('\n')
      rest = whole.pop() ?? ''
      lines.push(...whole.map((line) => JSON.parse(line)))
      for (const look of waiting) look()
    }
  })()
  /** The first line with that message, as soon as it is written. */
  const says = (msg: string, that: (line: Record<string, unknown>) => boolean = () => true) =>
    new Promise<Record<string, unknown>>((resolve) => {
      const look = () => {
        const line = lines.find((entry) => entry.msg === msg && that(entry))
        if (!line) return
        waiting.delete(look)
        resolve(line)
      }
      waiting.add(look)
      look()
    })
  return {
    lines,
    says,
    stop: () => process.kill('SIGTERM'),
    kill: () => process.kill('SIGKILL'),
    exited: process.exited,
    stdin: process.stdin,
  }
}

const publish = (subject: string, fact: unknown) =>
  jetstream(nats.admin).publish(subject, typeof fact === 'string' ? fact : JSON.stringify(fact))

async function publishWhole(fact: Accepted): Promise<void> {
  await publish(acceptedSubject(fact.id), fact)
  for (const part of ended(fact.id)) await publish(endedSubject(fact.id), part)
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await Bun.sleep(20)
}

const recorded = (facts: readonly Accepted[]) =>
  until(async () => {
    for (const { id } of facts) if (!(await history.isRecorded(id, 3))) return false
    return true
  })

const settled = () =>
  until(async () => {
    const { num_pending, num_ack_pending } = await (await jetstreamManager(nats.admin)).consumers.info(
      HISTORY,
      RECORDER,
    )
    return num_pending === 0 && num_ack_pending === 0
  })

test('what is told on HISTORY is in the database, and is acknowledged', async () => {
  const facts = Array.from({ length: 700 }, () => accepted())
  for (const fact of facts.slice(0, 20)) await publishWhole(fact)
  recorder = startRecorder()
  await Promise.all(facts.slice(20).map(publishWhole))
  await recorded(facts)
  await settled()
  expect((await history.find('ada', facts[0]?.requestID ?? ''))?.events).toEqual(logOf([' upon']))
  expect(recorder.lines.filter(({ level }) => level !== 'info')).toEqual([])
}, 30_000)

test('what cannot be recorded is set apart with its place in the stream, and holds up nothing', async () => {
  recorder = startRecorder()
  const facts = Array.from({ length: 20 }, () => accepted())
  for (const [i, fact] of facts.entries()) {
    await publishWhole(fact)
    if (i === 5) await publish(acceptedSubject(fact.id), 'not JSON')
    if (i === 9) await publish(acceptedSubject('another'), accepted())
  }
  const refused = accepted(Date.now(), { user: 'nul \u0000' })
  const { seq } = await publish(acceptedSubject(refused.id), refused)
  await recorded(facts)
  await settled()
  const apart = recorder.lines.filter(({ msg }) => msg === 'a fact cannot be recorded and is set apart')
  expect(apart).toHaveLength(3)
  expect(apart.at(-1)).toMatchObject({ seq, subject: acceptedSubject(refused.id), reason: expect.stringMatching(/22/) })
}, 30_000)

test('facts that come while the database is away are recorded when it is back', async () => {
  recorder = startRecorder()
  await recorder.says('recording')
  await server.stop()
  const facts = Array.from({ length: 300 }, () => accepted())
  await Promise.all(facts.map(publishWhole))
  await recorder.says('the database takes no facts')
  await server.start()
  await recorded(facts)
  await settled()
}, 60_000)

test('what a recorder has in hand stays with it for as long as it tries, and comes to the next within seconds of its death', async () => {
  recorder = startRecorder()
  await recorder.says('recording')
  await server.stop()
  const facts = Array.from({ length: 300 }, () => accepted())
  await Promise.all(facts.map(publishWhole))
  // By then twice the time is over after which the broker takes back what nobody speaks for.
  await recorder.says('the database takes no facts', ({ attempt }) => Number(attempt) >= 7)
  const { consumers } = await jetstreamManager(nats.admin)
  expect((await consumers.info(HISTORY, RECORDER)).num_redelivered).toBe(0)
  recorder.kill()
  await recorder.exited
  await server.start()
  recorder = startRecorder()
  await recorded(facts)
  await settled()
}, 28_000)

test('a connection to the broker that is half open is noticed, and what comes then is recorded', async () => {
  const proxy = await TcpProxy.listen()
  proxy.target = Number(new URL(nats.url).port)
  recorder = startRecorder({ ORIEL_NATS_URL: `nats://127.0.0.1:${proxy.port}` })
  await recorder.says('recording')
  proxy.become('hole')
  proxy.become('open') // new connections pass; the one from before stays dead, and nobody is told
  await recorder.says('the broker is back')
  const facts = [accepted(), accepted()]
  await Promise.all(facts.map(publishWhole))
  await recorded(facts)
  await settled()
  recorder.stop()
  await recorder.exited
  await proxy.close()
}, 30_000)

test('a signal ends it when what it was given is written; the rest waits for the next', async () => {
  recorder = startRecorder()
  await recorder.says('recording')
  const facts = Array.from({ length: 400 }, () => accepted())
  await Promise.all(facts.map(publishWhole))
  recorder.stop()
  expect(await recorder.exited).toBe(0)
  recorder = startRecorder()
  await recorded(facts)
  await settled()
}, 30_000)

test('a signal ends it also while the database is away, and nothing is lost', async () => {
  recorder = startRecorder()
  await recorder.says('recording')
  await server.stop()
  const facts = [accepted(), accepted()]
  await Promise.all(facts.map(publishWhole))
  await recorder.says('the database takes no facts')
  recorder.stop()
  expect(await recorder.exited).toBe(0)
  await server.start()
  recorder = startRecorder()
  await recorded(facts)
}, 25_000)

test('with its parent it leaves', async () => {
  recorder = startRecorder({ ORIEL_EXIT_WITH_PARENT: '1' })
  await recorder.says('recording')
  await recorder.stdin.end()
  expect(await recorder.exited).toBe(0)
}, 30_000)

test('a broker that comes later is waited for, and a signal ends the waiting', async () => {
  recorder = startRecorder({ ORIEL_NATS_URL: 'nats://127.0.0.1:1' })
  await recorder.says('the broker cannot be reached')
  recorder.stop()
  expect(await recorder.exited).toBe(0)
})

test('what is wrong with the configuration is named, all of it, and no value is printed', async () => {
  const process = Bun.spawn(['bun', main], {
    env: { PATH: Bun.env.PATH ?? '', ORIEL_DATABASE_URL: 'mysql://secret' },
    stdout: 'pipe',
    stderr: 'pipe',
  })
  const said = await new Response(process.stderr).text()
  expect(await process.exited).toBe(1)
  expect(said).toContain('ORIEL_DATABASE_URL')
  expect(said).toContain('ORIEL_NATS_PASSWORD')
  expect(said).not.toContain('secret')
})

test('models and nodes are kept with their last heartbeat', async () => {
  const manifest: Manifest = {
    name: 'iris',
    version: '1',
    description: '',
    engine: 'tensor',
    files: [{ path: 'model.onnx', sha256: 'a'.repeat(64), bytes: 1 }],
    inputs: [],
    outputs: [],
    parameters: {},
    limits: { timeoutMs: 1000, hangMs: 1000, attempts: 5, maxBatch: 0, concurrency: 1 },
  }
  const status = nodeStatus('node-1', {
    lastHeartbeat: 2_000,
    models: [{ name: 'iris', version: '1', state: 'loaded' }],
  })
  const kvm = new Kvm(nats.admin)
  const models = await kvm.open(MODELS)
  const nodes = await kvm.open(NODES)
  await nodes.put('broken', 'not JSON')
  await models.put(modelKey('iris', '1'), JSON.stringify(manifest))
  await nodes.put('node-1', JSON.stringify(status))
  recorder = startRecorder()
  const beat = () =>
    client`select v.manifest, (extract(epoch from v.last_heartbeat) * 1000)::int as version,
      (extract(epoch from m.last_heartbeat) * 1000)::int as model, (extract(epoch from n.last_heartbeat) * 1000)::int as node
      from model_versions v, models m, nodes n where v.model = 'iris' and m.name = 'iris' and n.name = 'node-1'`
  await until(async () => (await beat())[0]?.version === 2_000)
  expect((await beat())[0]).toEqual({ manifest, version: 2_000, model: 2_000, node: 2_000 })
  await nodes.put('node-1', JSON.stringify({ ...status, lastHeartbeat: 5_000 }))
  await until(async () => (await beat())[0]?.version === 5_000)
  // A node that has gone stays in the record, with the time it was last heard of.
  await nodes.delete('node-1')
  expect((await beat())[0]).toMatchObject({ model: 5_000, node: 5_000 })
  await until(async () => (await client`select from nodes where stale`).length === 1)
}, 60_000)

test('the broker lets the recorder read its history and nothing more', async () => {
  const own = await connect({ servers: nats.url, user: 'recorder', pass: 'recorder', inboxPrefix: '_INBOX_recorder' })
  const errors: string[] = []
  const denied = (async () => {
    for await (const status of own.status()) {
      if (status.type !== 'error') continue
      errors.push(status.error.message)
      if (errors.length === 4) return
    }
  })()
  own.publish('history.ended.x', '{}')
  own.publish('jobs.0.interactive.iris', '{}')
  own.publish('$KV.nodes.x', '{}')
  own.publish('$JS.API.STREAM.DELETE.HISTORY', '')
  await denied
  for (const error of errors) expect(error).toMatch(/Permissions Violation/)
  const ended = own.subscribe('progress.>')
  await expect(
    (async () => {
      for await (const _ of ended) break
    })(),
  ).rejects.toThrow(/Permissions Violation/)
  await own.close()
})

// The last: a broker that is killed forgets some acknowledgements, and their facts come again after half a minute.
test('a broker that was killed is found again', async () => {
  recorder = startRecorder()
  const before = Array.from({ length: 50 }, () => accepted())
  await Promise.all(before.map(publishWhole))
  await recorded(before)
  await settled()
  await nats.kill()
  await recorder.says('the broker is away')
  nats.start()
  await recorder.says('the broker is back')
  const after = Array.from({ length: 50 }, () => accepted())
  // The publisher's own connection may be the later to come back, and then publishes again: facts bear that.
  await Promise.all(after.map((fact) => publishWhole(fact).catch(() => publishWhole(fact))))
  await recorded(after)
}, 30_000)

test('a signal ends it also while the broker is away', async () => {
  recorder = startRecorder()
  await recorder.says('recording')
  await nats.kill()
  await recorder.says('the broker is away')
  recorder.stop()
  expect(await recorder.exited).toBe(0)
  nats.start()
}, 30_000)
