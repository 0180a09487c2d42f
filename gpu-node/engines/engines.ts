import type { EngineName } from '@oriel/protocol/manifest'
import type { Engine } from './engine.ts'
import { tensorEngine } from './tensor.ts'

export const ENGINES: Partial<Record<EngineName, Engine>> = {
  tensor: tensorEngine,
}
