import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { freePort } from '@oriel/dev/ports'
import { readSecrets } from '@oriel/dev/secrets'
import type { Stack } from '@oriel/dev/stack'
import { StateDir } from '@oriel/dev/state-dir'
import { WORKERD } from '@oriel/dev/tool-path'
import { workerdConfig } from '@oriel/dev/workerd-config'
import { forAWhile } from './load.ts'

const CONFIG = {
  compatibility_date: '2026-11-17',
  compatibility_flags: [],
  durable_objects: {
    bindings: [
      { name: 'FRESH', class_name: 'Fresh' },
      { name: 'THROUGH', class_name: 'Through' },
    ],
  },
}

export interface Bare extends AsyncDisposable {
  /** Fresh objects a second, each with a first write, `width` at a time. */
  freshPerSecond(width: number, forMs: number): Promise<number>
  /** Round trips of fresh objects, ms, one at a time. */
  freshTimes(count: number): Promise<number[]>
  /** NATS requests through an object, ms, one at a time. */
  throughTimes(count: number): Promise<number[]>
  /** One NATS request through an object. */
  through(): Promise<void>
}

/** A Worker that does nothing but what bounds ours, on the same workerd, the same disk and the same broker. */
export async function startBare(stack: Stack): Promise<Bare> {
  const dir = join(stack.stateDir, 'bare')
  mkdirSync(join(dir, 'objects'), { recursive: true })
  const built = await Bun.build({
    entrypoints: [join(import.meta.dir, 'worker/bare-worker.ts')],
    outdir: dir,
    naming: 'worker.js',
    external: ['cloudflare:workers'],
  })
  if (!built.success) throw new AggregateError(built.logs, 'the bare Worker could not be bundled')
  const port = await freePort()
  const secrets = readSecrets(new StateDir(stack.stateDir))
  const variables = {
    NATS_URL: `ws://127.0.0.1:${stack.ports.websocket}`,
    NATS_USER: 'admin',
    NATS_PASSWORD: secrets.nats.admin,
  }
  const options = { port, bundle: 'worker.js', storageDir: join(dir, 'objects'), variables: Object.keys(variables) }
  await Bun.write(join(dir, 'workerd.capnp'), workerdConfig(CONFIG, options))
  const process_ = Bun.spawn([WORKERD, 'serve', join(dir, 'workerd.capnp')], {
    env: { ...process.env, ...variables },
    stdout: 'ignore',
    stderr: Bun.file(join(dir, 'workerd.log')),
  })
  const echo = Bun.spawn([process.execPath, join(import.meta.dir, 'echo.ts')], {
    env: { ...process.env, NATS_URL: stack.natsUrl, NATS_PASSWORD: secrets.nats.admin },
    stdout: 'pipe',
  })
  await echo.stdout.getReader().read() // it says when it listens
  const url = `http://127.0.0.1:${port}`
  const get = async (path: string) => {
    const response = await fetch(url + path)
    if (!response.ok) throw new Error(`the bare Worker answered ${response.status}: ${await response.text()}`)
    await response.text()
  }
  const fresh = () => get(`/fresh/${crypto.randomUUID()}`)
  const timesOf = async (count: number, task: () => Promise<void>) => {
    const times: number[] = []
    for (let done = 0; done < count; done += 1) {
      const startedAt = performance.now()
      await task()
      times.push(performance.now() - startedAt)
    }
    return times
  }
  const answers = () =>
    get('/').then(
      () => true,
      () => false,
    )
  while (!(await answers())) {
    if (process_.exitCode !== null) throw new Error(`the bare Worker ended; see ${join(dir, 'workerd.log')}`)
    await Bun.sleep(50)
  }
  return {
    async freshPerSecond(width, forMs) {
      const { count, seconds } = await forAWhile(width, forMs, fresh)
      return count / seconds
    },
    freshTimes: (count) => timesOf(count, fresh),
    through: () => get('/through'),
    throughTimes: (count) => timesOf(count, () => get('/through')),
    async [Symbol.asyncDispose]() {
      process_.kill()
      await process_.exited
      echo.kill()
      await echo.exited
    },
  }
}
