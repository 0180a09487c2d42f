import { expect, test } from 'bun:test'
import { CountedBody } from './counted-body.ts'

const bodyOf = (...chunks: (number | Error)[]) =>
  new ReadableStream<Uint8Array>({
    pull(into) {
      const chunk = chunks.shift()
      if (chunk === undefined) into.close()
      else if (chunk instanceof Error) into.error(chunk)
      else into.enqueue(new Uint8Array(chunk))
    },
  })

test('a body is at fault when it breaks off, or is shorter or longer', async () => {
  const isNot = async (bytes: number, ...chunks: (number | Error)[]) => {
    const body = new CountedBody(bodyOf(...chunks))
    await new Response(body.stream).arrayBuffer().catch(() => {})
    return body.isNot(bytes)
  }
  expect(await isNot(5, 2, 3)).toBe(false)
  expect(await isNot(0)).toBe(false)
  expect(await isNot(6, 2, 3)).toBe(true)
  expect(await isNot(4, 2, 3)).toBe(true)
  expect(await isNot(5, 2, new Error('gone'))).toBe(true)
})

test('a body that its reader gave up is not at fault', async () => {
  const body = new CountedBody(bodyOf(2, 3))
  const reader = body.stream.getReader()
  await reader.read()
  await reader.cancel(new Error('the disk is full'))
  expect(body.isNot(5)).toBe(false)
})
