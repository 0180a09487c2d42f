import { expect, test } from 'bun:test'
import { A_WHILE, dataOf, Folder, row, times } from './folder.ts'
import { ServeProcess } from './serve-process.ts'

/** Asks again and again, from several sides, until it is stopped; what it was answered, each kind once. */
function asking(served: ServeProcess, model: string) {
  const answers = new Set<string>()
  let isOver = false
  const one = async () => {
    while (!isOver) {
      const response = await served.infer(model, row(0, 0))
      answers.add(response.status === 200 ? String((await dataOf(response))[0]) : await response.text())
    }
  }
  const all = Promise.all([one(), one(), one()])
  return {
    answers,
    async stop() {
      isOver = true
      await all
    },
  }
}

test('with --watch, versions and models are taken up and let go of while requests flow', async () => {
  using folder = new Folder().adder('add', 1, 1)
  await using served = await ServeProcess.start(folder.path, ['--watch'])
  const flow = asking(served, 'add')
  folder.adder('add', 2, 2).adder('other', 1, 7)
  await served.says(/loaded add 2/)
  await served.says(/loaded other 1/)
  expect(await dataOf(await served.infer('other', row(0, 1)))).toEqual([7, 8])
  folder.adder('add', 2, 3)
  await served.says(/unloaded add 2/)
  folder.remove('add/1').remove('other')
  await served.says(/unloaded other 1/)
  expect((await served.infer('other', row(0, 1))).status).toBe(404)
  expect((await served.infer('add/versions/1', row(0, 1))).status).toBe(404)
  await flow.stop()
  expect([...flow.answers].sort()).toEqual(['1', '2', '3'])
})

test('a file that is replaced is taken up by a load, and one that is bad leaves what was served', async () => {
  using folder = new Folder().adder('add', 1, 1)
  await using served = await ServeProcess.start(folder.path)
  const flow = asking(served, 'add')
  folder.adder('add', 1, 5)
  expect((await served.post('repository/models/add/load')).status).toBe(200)
  expect(await dataOf(await served.infer('add', row(0, 1)))).toEqual([5, 6])
  folder.write('add/1/model.onnx', 'no graph')
  const refused = await served.post('repository/models/add/load')
  expect([refused.status >= 400, await refused.text()]).toEqual([true, expect.stringContaining('model.onnx')])
  expect(await dataOf(await served.infer('add', row(0, 1)))).toEqual([5, 6])
  await flow.stop()
  expect([...flow.answers].sort()).toEqual(['1', '5'])
})

test('an unloaded model ends what it runs, and is refused until it is loaded', async () => {
  using folder = new Folder().counter('counter')
  await using served = await ServeProcess.start(folder.path)
  const running = served.infer('counter', times(A_WHILE))
  await served.until('oriel_requests', (requests) => requests === 1)
  expect((await served.post('repository/models/counter/unload')).status).toBe(200)
  const refused = await served.infer('counter', times(1))
  expect([refused.status, (await refused.json()).error]).toEqual([404, 'The model counter is not loaded.'])
  expect(await dataOf(await running)).toEqual([A_WHILE])
  await served.says(/unloaded counter 1/)
  expect((await served.post('repository/models/counter/load')).status).toBe(200)
  expect(await dataOf(await served.infer('counter', times(2)))).toEqual([2])
  expect((await served.post('repository/models/nobody/load')).status).toBe(404)
})

test('with --load use a model is loaded by its first request, once', async () => {
  using folder = new Folder().adder('first', 1, 1).adder('second', 1, 2)
  await using served = await ServeProcess.start(folder.path, ['--load', 'use'])
  expect(served.said).not.toContain('loaded second')
  const answers = await Promise.all([1, 2, 3].map(async () => dataOf(await served.infer('second', row(0, 0)))))
  expect(answers).toEqual([
    [2, 2],
    [2, 2],
    [2, 2],
  ])
  expect(served.said.match(/loaded second 1/g)).toHaveLength(1)
})
