import { afterAll } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ServeProcess } from '../serve/serve-process.ts'
import { inferenceContract } from './contract.ts'
import { writeContractModels } from './models.ts'

const root = mkdtempSync(join(tmpdir(), 'oriel-oip-'))
let serve: ServeProcess | undefined
afterAll(async () => {
  await serve?.[Symbol.asyncDispose]()
  rmSync(root, { recursive: true })
})

inferenceContract(
  'a node alone',
  async () => {
    writeContractModels(root)
    serve = await ServeProcess.start(root)
    return { url: serve.url, headers: {} }
  },
  { repository: true },
)
