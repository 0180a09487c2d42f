import type { Problem } from '@oriel/protocol/problem'
import type { LocalModel } from './model-runner.ts'

/** The versions on this node's disk: a whole one, or why it cannot be run here. */
export interface ModelShelf {
  find(name: string, version: string): LocalModel | Problem
}

export const isModel = (found: LocalModel | Problem): found is LocalModel => 'manifest' in found
