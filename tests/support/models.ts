import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { counterModel } from '@oriel/gpu-node/engines/testing/models'

const BUNDLED = join(import.meta.dir, '../../models')

const EXTRA = {
  /** Counts to its input: a model that says nothing until it is done, for as long as a test wants. */
  counter: (dir: string) => void counterModel(dir, { hangMs: 60_000 }),
  /** A byte of its file is not the one that was signed. */
  damaged: (dir: string) => {
    counterModel(dir, {}, 'damaged')
    const file = join(dir, 'damaged/1/model.onnx')
    const bytes = readFileSync(file)
    bytes.writeUInt8(bytes.readUInt8(bytes.length - 1) ^ 1, bytes.length - 1)
    writeFileSync(file, bytes)
  },
  /** Its manifest says `timeoutMS`. */
  typo: (dir: string) => {
    counterModel(dir, {}, 'typo')
    const file = join(dir, 'typo/1/manifest.json')
    writeFileSync(file, readFileSync(file, 'utf8').replace('"timeoutMs"', '"timeoutMS"'))
  },
} as const
export type ExtraModel = keyof typeof EXTRA

/** A folder with the bundled models and some more. */
export function modelsWith(dir: string, extra: readonly ExtraModel[]): string {
  mkdirSync(dir, { recursive: true })
  for (const name of ['iris', 'sentiment', 'storyteller'])
    cpSync(join(BUNDLED, name), join(dir, name), { recursive: true })
  for (const name of extra) EXTRA[name](dir)
  return dir
}
