import type { Context, Env } from 'hono'
import { readBody } from './body.ts'
import { failureOf } from './error-form.ts'
import { decodeGenerate, encodeGenerated } from './generate.ts'
import type { InferenceAnswer, InferenceCall, InferencePort, ModelRef } from './port.ts'
import type { Serving } from './serving.ts'
import { modelOf } from './serving.ts'

export const generate =
  <E extends Env>(serving: Serving<E>) =>
  async (c: Context<E>): Promise<Response> => {
    const { port, model, call } = await read(serving, c)
    const answer = await port.infer(model, call, c.req.raw.signal)
    return new Response(encodeGenerated(answer, call.id), { headers: { 'Content-Type': 'application/json' } })
  }

export const generateStream =
  <E extends Env>(serving: Serving<E>) =>
  async (c: Context<E>): Promise<Response> => {
    const { port, model, call } = await read(serving, c)
    const left = new AbortController()
    const signal = AbortSignal.any([c.req.raw.signal, left.signal])
    const parts = partsOf(port, model, call, signal)
    // What fails before there is anything to stream has a status of its own.
    let next: Promise<IteratorResult<InferenceAnswer>> = Promise.resolve(await parts.next())
    const encoder = new TextEncoder()
    const stream = new ReadableStream<Uint8Array>({
      async pull(controller) {
        try {
          const part = await orQuiet(next, serving.heartbeatMs ?? HEARTBEAT_MS)
          if (part === 'quiet') return controller.enqueue(encoder.encode(':\n\n'))
          if (part.done) return controller.close()
          next = parts.next()
          next.catch(() => {}) // it is thrown when it is its turn
          controller.enqueue(encoder.encode(`data: ${encodeGenerated(part.value, call.id)}\n\n`))
        } catch (error) {
          controller.enqueue(encoder.encode(`data: ${failureOf(error, signal).body}\n\n`))
          controller.close()
        }
      },
      cancel() {
        left.abort()
      },
    })
    return new Response(stream, { headers: { 'Content-Type': 'text/event-stream; charset=utf-8' } })
  }

/** A stream that says nothing does not notice either that its reader has left. */
const HEARTBEAT_MS = 15_000

async function orQuiet<T>(next: Promise<T>, ms: number): Promise<T | 'quiet'> {
  const quiet = Promise.withResolvers<'quiet'>()
  const timer = setTimeout(() => quiet.resolve('quiet'), ms)
  try {
    return await Promise.race([next, quiet.promise])
  } finally {
    clearTimeout(timer)
  }
}

async function* partsOf(
  port: InferencePort,
  model: ModelRef,
  call: InferenceCall,
  signal: AbortSignal,
): AsyncGenerator<InferenceAnswer> {
  if (port.stream) yield* port.stream(model, call, signal)
  else yield await port.infer(model, call, signal)
}

async function read<E extends Env>(serving: Serving<E>, c: Context<E>) {
  const port = await serving.portOf(c)
  const model = modelOf(c)
  const body = await readBody(c.req.raw, serving)
  return { port, model, call: decodeGenerate(body, await port.describe(model)) }
}
