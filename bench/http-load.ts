/**
 * A load generator in a process of its own, that leaves the machine to what it measures: keep-alive HTTP/1.1 over raw
 * sockets, one request at a time on each, written as bytes that were made before.
 *
 * `bun bench/http-load.ts <plan>`, the plan as JSON; prints its result as JSON.
 */
import * as v from 'valibot'
import { ResponseReader } from './response-reader.ts'

export const LoadPlan = v.object({
  hostname: v.string(),
  port: v.number(),
  path: v.string(),
  headers: v.optional(v.record(v.string(), v.string()), {}),
  body: v.string(),
  connections: v.number(),
  warmUpMs: v.number(),
  forMs: v.number(),
  /** The numbers that a right answer ends with, in the last array of its body; none: they are not looked at. */
  expected: v.optional(v.array(v.number())),
})
export type LoadPlan = v.InferInput<typeof LoadPlan>

export const LoadResult = v.object({
  perSecond: v.number(),
  p50Ms: v.number(),
  p99Ms: v.number(),
  /** Answers that were not 200, or not right; with the first of them. */
  wrong: v.number(),
  firstWrong: v.optional(v.string()),
})
export type LoadResult = v.InferOutput<typeof LoadResult>

/** Sums in another order, as batches of other sizes have, differ by this much of a value at most. */
const TOLERANCE = 1e-4

/** Whether the numbers of the last array in a text are those. */
export function endsWithNumbers(text: string, expected: readonly number[]): boolean {
  const from = text.lastIndexOf('[')
  const found = text.slice(from + 1, text.indexOf(']', from)).split(',')
  return (
    found.length === expected.length &&
    expected.every((value, index) => Math.abs(Number(found[index]) - value) <= TOLERANCE * Math.max(1, Math.abs(value)))
  )
}

async function load(plan: v.InferOutput<typeof LoadPlan>): Promise<LoadResult> {
  const { hostname, port, path, headers, body, connections, warmUpMs, forMs, expected } = plan
  const lines = Object.entries({ Host: `${hostname}:${port}`, 'Content-Type': 'application/json', ...headers })
  const head = lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')
  const request = Buffer.from(
    `POST ${path} HTTP/1.1\r\n${head}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  )
  // There are as many different right answers as there are sizes of batches: few, and looked at once.
  const right = new Set<string>()
  const isRight = (text: string) => {
    if (!expected || right.has(text)) return true
    if (!endsWithNumbers(text, expected)) return false
    right.add(text)
    return true
  }
  const times: number[] = []
  let wrong = 0
  let firstWrong: string | undefined
  let isOver = false
  const from = performance.now() + warmUpMs
  const until = from + forMs

  const one = () =>
    new Promise<void>((resolve, reject) => {
      let sentAt = 0
      const ask = (socket: Bun.Socket) => {
        sentAt = performance.now()
        // A request is smaller than a socket's buffer, or else the rest would have to wait for it to drain.
        if (socket.write(request) !== request.length) reject(new Error('the request is too large for one write'))
      }
      const reader = new ResponseReader()
      void Bun.connect({
        hostname,
        port,
        socket: {
          open: ask,
          data(socket, chunk) {
            const response = reader.push(chunk)
            if (!response) return
            const now = performance.now()
            if (sentAt >= from && now <= until) times.push(now - sentAt)
            if (response.status !== 200 || !isRight(response.body)) {
              wrong++
              firstWrong ??= `${response.status} ${response.body.slice(0, 300)}`
            }
            if (now < until && !isOver) return ask(socket)
            resolve() // first: the end of a socket is told before `end` returns
            socket.end()
          },
          close: () => reject(new Error('the server closed a connection')),
          error: (_socket, error) => reject(error),
        },
      }).catch(reject)
    })
  try {
    await Promise.all(Array.from({ length: connections }, one))
  } finally {
    isOver = true
  }
  times.sort((a, b) => a - b)
  const at = (part: number) => times[Math.min(times.length - 1, Math.floor(times.length * part))] ?? Number.NaN
  return {
    perSecond: (times.length / forMs) * 1_000,
    p50Ms: at(0.5),
    p99Ms: at(0.99),
    wrong,
    ...(firstWrong && { firstWrong }),
  }
}

/** The same, from another program. @throws Error what the generator said */
export async function measureLoad(plan: LoadPlan): Promise<LoadResult> {
  await using child = Bun.spawn([process.execPath, import.meta.path, JSON.stringify(plan)], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const [text, said] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()])
  if ((await child.exited) !== 0) throw new Error(`The load could not be made: ${said}`)
  return v.parse(LoadResult, JSON.parse(text))
}

if (import.meta.main) console.log(JSON.stringify(await load(v.parse(LoadPlan, JSON.parse(process.argv[2] ?? '')))))
