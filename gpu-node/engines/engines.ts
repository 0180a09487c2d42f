import type { EngineName } from '@oriel/protocol/manifest'
import { systemClock } from '../clock.ts'
import type { Engine } from './engine.ts'
import { pipelineEngine } from './pipeline/pipeline.ts'
import { tensorEngine } from './tensor.ts'
import { textClassificationEngine } from './text-classification.ts'
import { textGenerationEngine } from './text-generation.ts'

export const ENGINES: Record<EngineName, Engine> = {
  tensor: tensorEngine,
  pipeline: pipelineEngine,
  'text-classification': textClassificationEngine,
  'text-generation': textGenerationEngine(systemClock),
}
