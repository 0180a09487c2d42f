import type { Output } from '../../model-runner.ts'
import type { StreamSession, Task } from '../engine.ts'

export interface RunOptions extends Partial<Task> {
  signal?: AbortSignal
  onOutput?: (output: Output) => void
}

/** Runs a session as a host would, alone, and gives back all that it emitted. */
export async function runSession(session: StreamSession, options: RunOptions): Promise<Output[]> {
  const outputs: Output[] = []
  const { signal = new AbortController().signal, onOutput, ...task } = options
  await session.run(
    { input: '', parameters: {}, seed: 0, prior: { tokens: [], text: '' }, ...task },
    {
      signal,
      step: async (work) => work(),
      emit: (output) => {
        outputs.push(output)
        onOutput?.(output)
      },
    },
  )
  return outputs
}
