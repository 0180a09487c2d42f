import { expect, test } from 'bun:test'
import { gzipSync } from 'node:zlib'
import { A_WHILE, AN_HOUR, dataOf, Folder, row, times } from './folder.ts'
import { isAlive, ServeProcess } from './serve-process.ts'

test('a folder of bare graphs is served: what is there is shown, and the command that it prints works', async () => {
  using folder = new Folder().adder('Add_One', 1, 1).adder('Add_One', 10, 10).write('broken/1/model.onnx', 'no graph')
  await using served = await ServeProcess.start(folder.path)
  expect(served.said).toContain('  Add_One  10       x FP32[n,2]  y FP32[n,2]\n')
  expect(served.said).toContain('  Add_One  1        loaded when it is first used\n')
  expect(served.said).toMatch(/ {2}broken {3}1 {8}not served: .*model\.onnx/)
  const command = /^ {2}(curl .*)$/m.exec(served.said)?.[1] ?? ''
  expect(JSON.parse(await Bun.$`sh -c ${command}`.quiet().text())).toEqual({
    model_name: 'Add_One',
    model_version: '10',
    outputs: [{ name: 'y', datatype: 'FP32', shape: [1, 2], data: [10, 10] }],
  })
  expect(await dataOf(await served.infer('Add_One/versions/1', row(1, 2)))).toEqual([2, 3])
  const refused = await served.infer('broken', row(1, 2))
  expect([refused.status, await refused.text()]).toEqual([503, expect.stringContaining('model.onnx')])
  const index = await (await served.post('repository/index')).json()
  expect(index).toEqual([
    { name: 'Add_One', version: '10', state: 'READY' },
    { name: 'Add_One', version: '1', state: 'READY' },
    { name: 'broken', version: '1', state: 'UNAVAILABLE', reason: expect.any(String) },
  ])
})

test('when it is stopped, what runs ends, nothing new begins, and nothing is left', async () => {
  using folder = new Folder().counter('counter')
  await using served = await ServeProcess.start(folder.path)
  const running = served.infer('counter', times(A_WHILE))
  await served.until('oriel_requests', (requests) => requests === 1)
  const { hosts } = served
  expect(hosts.every(isAlive)).toBe(true)
  served.kill('SIGTERM')
  await served.says(/stopping: SIGTERM/)
  const refused = await served.infer('counter', times(1)).catch((error: unknown) => error)
  expect(refused instanceof Response ? refused.status : 503).toBe(503)
  const answer = await running
  expect([answer.status, await dataOf(answer)]).toEqual([200, [A_WHILE]])
  expect(await served.ended()).toBe(0)
  expect(hosts.some(isAlive)).toBe(false)
})

test('a node that is killed takes its hosts with it, also one that is in the middle of a run', async () => {
  using folder = new Folder().counter('counter')
  await using served = await ServeProcess.start(folder.path)
  const running = served.infer('counter', times(AN_HOUR)).catch(() => 'lost')
  await served.until('oriel_requests', (requests) => requests === 1)
  const [host] = served.hosts
  served.kill('SIGKILL')
  await served.ended()
  expect(await running).toBe('lost')
  while (isAlive(Number(host))) await Bun.sleep(5) // the kernel tells nobody but its new parent
})

test('it ends with its parent', async () => {
  using folder = new Folder().adder('add', 1, 1)
  const served = await ServeProcess.start(folder.path)
  const { hosts } = served
  served.closeStdin()
  expect(await served.ended()).toBe(0)
  expect(hosts.some(isAlive)).toBe(false)
})

test('what a person got wrong is told with what to do, and nothing is left running', async () => {
  using folder = new Folder()
  using other = new Folder().adder('add', 1, 1)
  await using empty = new ServeProcess(folder.path)
  expect(await empty.ended()).toBe(1)
  expect(empty.said).toContain(`There is no model in ${folder.path}.`)
  expect(empty.said).toContain('model.onnx')
  await using missing = new ServeProcess('/nowhere/models')
  expect(await missing.ended()).toBe(1)
  expect(missing.said).toContain('The models folder /nowhere/models cannot be read.')
  await using first = await ServeProcess.start(other.path)
  await using second = new ServeProcess(other.path, ['--http', new URL(first.url).port])
  expect(await second.ended()).toBe(1)
  expect(second.said).toContain('is taken by another program. --http 0 takes a free one.')
})

test('a host that is killed in the middle of a prediction costs one answer at most, and the next is served', async () => {
  using folder = new Folder().counter('counter')
  await using served = await ServeProcess.start(folder.path)
  const running = served.infer('counter', times(AN_HOUR))
  await served.until('oriel_requests', (requests) => requests === 1)
  const [host] = served.hosts
  process.kill(Number(host), 'SIGKILL')
  const lost = await running
  expect([lost.status, (await lost.json()).error]).toEqual([500, expect.stringContaining('SIGKILL')])
  expect(await dataOf(await served.infer('counter', times(3)))).toEqual([3])
  expect(await served.metric('oriel_host_losses_total')).toBe(1)
})

test('a run that takes too long is given up, and others are served', async () => {
  using folder = new Folder().counter('counter')
  await using served = await ServeProcess.start(folder.path, ['--hang-ms', '1500'])
  const hung = await served.infer('counter', times(AN_HOUR))
  expect([hung.status, (await hung.json()).error]).toEqual([500, expect.stringContaining('no sign of life')])
  expect(await dataOf(await served.infer('counter', times(3)))).toEqual([3])
})

test('what its caller has left is not run', async () => {
  using folder = new Folder().counter('counter')
  await using served = await ServeProcess.start(folder.path)
  const running = served.infer('counter', times(A_WHILE))
  await served.until('oriel_requests', (requests) => requests === 1)
  const leaving = new AbortController()
  const left = served.infer('counter', times(AN_HOUR), leaving.signal).catch((error: Error) => error.name)
  await served.until('oriel_requests', (requests) => requests === 2)
  leaving.abort()
  expect(await left).toBe('AbortError')
  await served.until('oriel_requests_total', (requests) => requests >= 1)
  // Behind an hour's work it would never come.
  expect(await dataOf(await served.infer('counter', times(5)))).toEqual([5])
  expect((await running).status).toBe(200)
})

test('beyond its limits it refuses at once, says when to come again, and still tells that it lives', async () => {
  using folder = new Folder().counter('counter').adder('add', 1, 1)
  await using served = await ServeProcess.start(folder.path, ['--max-requests', '2', '--max-body-mb', '1'])
  const leaving = new AbortController()
  const running = [1, 2].map(() => served.infer('counter', times(AN_HOUR), leaving.signal).catch(() => undefined))
  await served.until('oriel_requests', (requests) => requests === 2)
  const refused = await served.infer('add', row(1, 2))
  expect([refused.status, refused.headers.get('Retry-After')]).toEqual([503, '1'])
  expect((await refused.json()).error).toContain('try again')
  expect((await fetch(`${served.url}/v2/health/live`)).status).toBe(200)
  leaving.abort()
  await Promise.all(running)
  await served.until('oriel_requests', (requests) => requests === 0)
  // One of the two is in its host for an hour: that host is not the one to ask.
  const large = await fetch(`${served.url}/v2/models/add/infer`, { method: 'POST', body: new Uint8Array(2_000_000) })
  expect(large.status).toBe(400)
})

test('a packed body counts as what is in it', async () => {
  using folder = new Folder().counter('counter').adder('add', 1, 1)
  await using served = await ServeProcess.start(folder.path, ['--max-waiting-mb', '1'])
  const send = () =>
    fetch(`${served.url}/v2/models/add/infer`, {
      method: 'POST',
      body: gzipSync(JSON.stringify({ inputs: row(1, 2), pad: ' '.repeat(2_000_000) })),
      headers: { 'Content-Encoding': 'gzip' },
    })
  expect(await dataOf(await send())).toEqual([2, 3])
  const leaving = new AbortController()
  const running = served.infer('counter', times(AN_HOUR), leaving.signal).catch(() => undefined)
  await served.until('oriel_requests', (requests) => requests === 1)
  expect((await send()).status).toBe(503)
  leaving.abort()
  await running
})

test('metrics tell requests by their end, in base units, and models apart only as much as is asked', async () => {
  using folder = new Folder().adder('add', 1, 1)
  await using served = await ServeProcess.start(folder.path, ['--metric-labels', 'model'])
  await Promise.all([served.infer('add', row(1, 2)), served.infer('add', row(1, 2)), served.infer('add', [])])
  const text = await (await fetch(`${served.url}/metrics`)).text()
  expect(text).toContain('oriel_requests_total{model="add",outcome="ok"} 2\n')
  expect(text).toContain('oriel_requests_total{model="add",outcome="input-mismatch"} 1\n')
  expect(text).toContain('oriel_request_seconds_bucket{le="0.001",model="add"}')
  expect(text).not.toContain('version=')
  expect(await served.metric('oriel_batch_rows_sum')).toBe(2)
  expect(await served.metric('oriel_models_resident')).toBe(1)
  expect(await served.metric('oriel_hosts')).toBe(1)
})
