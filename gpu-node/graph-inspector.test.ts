import { afterAll, expect, test } from 'bun:test'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ProblemError } from '@oriel/protocol/problem'
import { systemClock } from './clock.ts'
import { type GraphDef, onnxBytes } from './engines/testing/onnx-bytes.ts'
import { GraphInspector } from './graph-inspector.ts'
import { bunHosts } from './host/bun-host-process.ts'
import { fakeHosts } from './host/testing/fake-hosts.ts'
import { ManualClock, settled } from './testing/manual-clock.ts'

const root = mkdtempSync(join(tmpdir(), 'oriel-inspect-'))
afterAll(() => rmSync(root, { recursive: true }))

const write = (name: string, content: GraphDef | string): string => {
  const path = join(root, name)
  writeFileSync(path, typeof content === 'string' ? content : onnxBytes(content))
  return path
}
const identity = (op: string): GraphDef => ({
  inputs: [{ name: 'x', type: 'float16', shape: ['N', 4] }],
  outputs: [{ name: 'y', type: 'float16', shape: ['N', 4] }],
  nodes: [{ op, inputs: ['x'], outputs: ['y'] }],
})
const refusal = (promise: Promise<unknown>) =>
  promise.then(
    () => 'taken',
    (error) => (error instanceof ProblemError ? error.problem : error),
  )

test('graphs are read in a process that is there only meanwhile; a bad one is told by the runtime’s reason', async () => {
  const pids: number[] = []
  const hosts = bunHosts({ threads: 1 })
  const ends: Promise<void>[] = []
  const inspector = new GraphInspector({
    clock: systemClock,
    start(events) {
      const host = hosts(events)
      pids.push(host.pid)
      ends.push(host.exited)
      return host
    },
  })
  const [good, strange, none, again] = await Promise.all([
    inspector.inspect(write('good.onnx', identity('Identity'))),
    refusal(inspector.inspect(write('strange.onnx', identity('Teleport')))),
    refusal(inspector.inspect(write('none.onnx', 'no graph'))),
    inspector.inspect(write('again.onnx', identity('Abs'))),
  ])
  const port = (name: string) => ({ name, datatype: 'FP16', shape: ['N', 4] })
  expect(good).toEqual({ inputs: [port('x')], outputs: [port('y')] } as typeof good)
  expect(again).toEqual(good)
  expect([strange.kind, none.kind]).toEqual(['model-unavailable', 'model-unavailable'])
  expect(strange.detail).toContain('Teleport')
  expect(none.detail).toContain('none.onnx')
  expect(none.detail).not.toContain(root)
  expect(pids).toHaveLength(1)
  await Promise.all(ends)
})

test('a graph that ends the process is told, and the next one is read by another', async () => {
  const { processes, start } = fakeHosts()
  const clock = new ManualClock()
  const inspector = new GraphInspector({ start, clock })
  const first = refusal(inspector.inspect('/bad.onnx'))
  const second = inspector.inspect('/good.onnx')
  await settled()
  const [host] = processes
  expect(host?.all('inspect').map(({ file }) => file)).toEqual(['/bad.onnx'])
  host?.die('signal SIGSEGV')
  expect(await first).toEqual({
    kind: 'model-unavailable',
    detail: 'The model ended its process (signal SIGSEGV) while it was read.',
  })
  await clock.advance(0)
  const [message] = processes[1]?.all('inspect') ?? []
  expect(message?.file).toBe('/good.onnx')
  const signature = { inputs: [], outputs: [] }
  const work = message?.work ?? 0
  processes[1]?.say({ type: 'output', work, response: signature })
  processes[1]?.say({ type: 'done', work })
  expect(await second).toEqual(signature)
  expect(processes[1]?.killed).toBe(true)
})
