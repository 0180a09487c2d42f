import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { endsWithNumbers, measureLoad } from './http-load.ts'
import { ResponseReader } from './response-reader.ts'

test('a response is read however it is cut, with a length or in chunks', () => {
  const body = '{"data":[1,2]}'
  const chunked = `4\r\n${body.slice(0, 4)}\r\na\r\n${body.slice(4)}\r\n0\r\n\r\n`
  const whole = [
    `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${chunked}`,
  ]
  fc.assert(
    fc.property(
      fc.constantFrom(...whole),
      fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1 }),
      (text, cuts) => {
        const reader = new ResponseReader()
        for (let again = 0; again < 2; again++) {
          const found = []
          for (let at = 0, turn = 0; at < text.length; turn++) {
            const size = cuts[turn % cuts.length] ?? 1
            found.push(reader.push(Buffer.from(text.slice(at, at + size))))
            at += size
          }
          expect(found.at(-1)).toEqual({ status: 200, body })
          expect(found.slice(0, -1).every((response) => response === undefined)).toBe(true)
        }
      },
    ),
  )
})

test('an answer is right when its last numbers are, but for the last digits', () => {
  expect(endsWithNumbers('{"shape":[1,2],"data":[0.5000001,-3]}', [0.5, -3])).toBe(true)
  expect(endsWithNumbers('{"shape":[1,2],"data":[0.51,-3]}', [0.5, -3])).toBe(false)
  expect(endsWithNumbers('{"data":[0.5]}', [0.5, -3])).toBe(false)
  expect(endsWithNumbers('', [0.5])).toBe(false)
})

test('load is counted, and a wrong answer does not go unseen', async () => {
  let asked = 0
  const server = Bun.serve({
    port: 0,
    fetch: async (request) => new Response(`{"data":[${(await request.text()) === 'x' && ++asked > 50 ? 2 : 1}]}`),
  })
  const plan = { hostname: '127.0.0.1', port: server.port ?? 0, path: '/', body: 'x', connections: 4, warmUpMs: 0 }
  const found = await measureLoad({ ...plan, forMs: 200, expected: [1] })
  await server.stop(true)
  expect(found.perSecond).toBeGreaterThan(0)
  expect(found.p99Ms).toBeGreaterThanOrEqual(found.p50Ms)
  expect(found.wrong).toBe(asked - 50)
  expect(found.firstWrong).toBe('200 {"data":[2]}')
})
