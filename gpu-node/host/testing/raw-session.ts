/** The limit of a swap: a process with nothing but the runtime opens a graph, runs it once, and lets go of it. */
import { InferenceSession, Tensor } from 'onnxruntime-node'

process.on('message', async ({ file, width }: { file: string; width: number }) => {
  const startedAt = performance.now()
  const session = await InferenceSession.create(file, { intraOpNumThreads: 1, interOpNumThreads: 1 })
  await session.run({ x: new Tensor('float32', new Float32Array(width), [1, width]) })
  process.send?.({ ms: performance.now() - startedAt })
  await session.release()
})
process.on('disconnect', () => process.exit(0))
