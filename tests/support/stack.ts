import { afterAll, beforeAll } from 'bun:test'
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { jetstream } from '@nats-io/jetstream'
import { History } from '@oriel/db/history'
import { nodeStatuses } from '@oriel/dev/node-statuses'
import { type Stack, startStack } from '@oriel/dev/stack'
import type { Terminal } from '@oriel/protocol/event'
import { type Accepted, endedFacts } from '@oriel/protocol/fact'
import { acceptedSubject, endedSubject } from '@oriel/protocol/subjects'
import postgres from 'postgres'
import { Client } from './client.ts'
import { type ExtraModel, modelsWith } from './models.ts'

export interface StackOptions {
  readonly nodes?: number
  /** One of them plans. */
  readonly planners?: number
  /** Beside the bundled ones. */
  readonly models?: readonly ExtraModel[]
  /** Puts more into the folder of the models before anything is started. */
  readonly prepare?: (modelsDir: string) => Promise<void> | void
  readonly edge?: 'wrangler' | 'workerd'
  /** Further settings of the nodes. */
  readonly nodeEnv?: Readonly<Record<string, string>>
  /** Further settings of the planners. */
  readonly plannerEnv?: Readonly<Record<string, string>>
  /** Further variables of the Worker. */
  readonly edgeEnv?: Readonly<Record<string, string>>
}

const START_MS = 180_000

/** A stack for all tests of a file, on free ports and with a state folder of its own. */
export function useStack({
  nodes = 1,
  planners = 1,
  models = [],
  prepare,
  edge = 'workerd',
  nodeEnv = {},
  plannerEnv = {},
  edgeEnv = {},
}: StackOptions = {}): TestStack {
  const dir = mkdtempSync(join(tmpdir(), 'oriel-stack-'))
  // As root, PostgreSQL runs as another user, who must get in.
  chmodSync(dir, 0o711)
  const stack = new TestStack(join(dir, 'models'))
  beforeAll(async () => {
    const modelsDir = modelsWith(stack.modelsDir, models)
    await prepare?.(modelsDir)
    stack.start(
      await startStack({
        stateDir: join(dir, 'state'),
        nodes,
        planners,
        plannerEnv,
        edge,
        modelsDir,
        nodeEnv: { ORIEL_DRAIN_MS: '3000', ...nodeEnv },
        edgeEnv,
      }),
    )
  }, START_MS)
  afterAll(async () => {
    await stack.stop()
    rmSync(dir, { recursive: true, force: true })
  }, START_MS)
  return stack
}

export class TestStack {
  /** A node reads it when it starts. */
  readonly modelsDir: string
  #stack: Stack | undefined

  constructor(modelsDir: string) {
    this.modelsDir = modelsDir
  }

  start(stack: Stack): void {
    this.#stack = stack
    // A part that is killed in a test is brought back; one that is given up shows in the test that waits for it.
    stack.failed.catch((error) => console.error(error))
  }

  async stop(): Promise<void> {
    await this.#stack?.stop()
  }

  get stack(): Stack {
    if (!this.#stack) throw new Error('the stack has not started')
    return this.#stack
  }

  get url(): string {
    return this.stack.url
  }

  /** @param scope of the user's token: `admin` for an operator */
  async client(user: string, scope?: string): Promise<Client> {
    return new Client(this.url, await this.stack.token(user, scope === undefined ? {} : { scope }))
  }

  /** Until something that cannot be awaited is so; the test's own time limit ends the wait. */
  async until(holds: () => Promise<boolean>): Promise<void> {
    while (!(await holds())) await Bun.sleep(50)
  }

  /** kill -9 of the process that does a part's work; the stack brings it back. */
  async kill(kind: 'edge' | 'node' | 'nats' | 'host' | 'recorder' | 'planner'): Promise<void> {
    if (kind !== 'host') return void this.stack.kill(kind)
    const hosts = (await this.stack.parts()).filter((part) => part.kind === 'host')
    for (const { pid } of hosts) if (pid) process.kill(pid, 'SIGKILL')
  }

  async without(part: 'node-1' | 'postgres', act: () => Promise<void>): Promise<void> {
    await this.stack.stopPart(part)
    try {
      await act()
    } finally {
      await this.stack.startPart(part)
      await this.stack.ready()
    }
  }

  /** Until no node has a job in hand. */
  async idle(): Promise<void> {
    const nc = await this.stack.nats('admin')
    await this.until(async () => (await nodeStatuses(nc)).every(({ busy }) => busy === 0))
    await nc.close()
  }

  /** Tells the record of requests that never were, and that they have ended. */
  async record(facts: readonly Accepted[]): Promise<void> {
    const nc = await this.stack.nats('admin')
    const client = jetstream(nc)
    for (const fact of facts) {
      const ended = endedFacts(fact.id, [{ n: 1, at: fact.deadlineAt, type: 'completed' }])
      await client.publish(acceptedSubject(fact.id), JSON.stringify(fact))
      await Promise.all(ended.map((part) => client.publish(endedSubject(fact.id), JSON.stringify(part))))
    }
    await nc.close()
  }

  /** Until the record has a request and its whole answer; with `end`, one of this kind. */
  async recorded(user: string, requestID: string, end?: Terminal): Promise<void> {
    const sql = postgres(this.stack.databaseUrl, { max: 1, onnotice: () => {} })
    const history = new History(sql)
    await this.until(async () => {
      const status = (await history.find(user, requestID))?.status
      return end ? status === end : status !== undefined && status !== 'accepted'
    })
    await sql.end()
  }

  /** As if an hour had passed: no actor knows its request any more. */
  async forgetActors(): Promise<void> {
    await this.stack.stopPart('edge')
    rmSync(join(this.stack.stateDir, 'edge', 'workerd'), { recursive: true, force: true })
    await this.stack.startPart('edge')
    await this.stack.ready()
  }
}
