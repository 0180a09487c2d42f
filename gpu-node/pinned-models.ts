import * as v from 'valibot'
import type { LocalModel } from './model-runner.ts'

const NAMED = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}(@[1-9][0-9]{0,8})?$/

/** Models that stay in memory, as people write them: `iris,storyteller@2`. Without a version it is every one. */
export const PinnedModels = v.pipe(
  v.string(),
  v.check(
    (text) => listOf(text).every((named) => NAMED.test(named)),
    'expected names such as iris or storyteller@2, separated by commas',
  ),
  v.transform(listOf),
)
export type PinnedModels = v.InferOutput<typeof PinnedModels>

function listOf(text: string): string[] {
  return text.split(',').map((part) => part.trim())
}

export const isPinned = (pinned: PinnedModels, { manifest: { name, version } }: Pick<LocalModel, 'manifest'>) =>
  pinned.includes(name) || pinned.includes(`${name}@${version}`)
