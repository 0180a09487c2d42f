import { itemOfTensors, tensorsOfItem } from '@oriel/protocol/item'
import type { LocalModel } from '../../model-runner.ts'
import type { Session } from '../engine.ts'

/** Runs one item through a session, as a job does. */
export async function inferItem({ manifest }: LocalModel, session: Session, input: unknown): Promise<unknown> {
  if (session.kind !== 'batch') throw new Error(`${manifest.name} answers with a stream`)
  return itemOfTensors(manifest, await session.infer(tensorsOfItem(manifest, input)))
}
