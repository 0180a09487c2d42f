import { expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { useStack } from '../support/stack.ts'

const ROOT = join(import.meta.dir, '../..')
const stack = useStack()

test('the page about registering models does what it says', async () => {
  const page = readFileSync(join(ROOT, 'docs/registry.md'), 'utf8')
  const blocks = [...page.matchAll(/^```sh\n(.*?)^```/gms)].map(([, block = '']) => block)
  const [where, ...steps] = blocks
  expect(where).toContain('AUTH=') // which is ours here
  const token = await stack.stack.token('rita', { scope: 'models admin' })
  const script = Bun.spawn(['bash', '-euo', 'pipefail', '-c', steps.join('\n')], {
    cwd: ROOT,
    env: { ...process.env, ORIEL: stack.url, AUTH: `Authorization: Bearer ${token}` },
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
  })
  const [said, complaints] = await Promise.all([new Response(script.stdout).text(), new Response(script.stderr).text()])
  expect({ code: await script.exited, complaints }).toEqual({ code: 0, complaints: '' })
  expect(said).toContain('"status":"ready"')
  expect(said).toContain('"setosa"')
}, 60_000)
