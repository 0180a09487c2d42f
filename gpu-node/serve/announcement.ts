import { servedModel } from '@oriel/oip/served-model'
import { type BannerRow, modelTable } from './banner.ts'
import type { Listed, ModelRepository } from './repository.ts'
import { sampleCommand } from './sample-request.ts'

/** What a person sees when the node is ready: where it is, what it has, and a command to try. */
export async function announcement(url: string, models: string, repository: ModelRepository): Promise<string> {
  const listed = repository.list()
  const names = new Set(listed.map(({ name }) => name))
  const open = listed.filter(({ state }) => state === 'ready').length
  const head = `${count(names.size, 'model')} in ${models}, ${count(open, 'version')} served`
  const command = await firstCommand(url, listed, repository)
  return [head, '', modelTable(listed.map(toRow)), '', ...(command ? [`  ${command}`, ''] : []), `ready ${url}`].join(
    '\n',
  )
}

function toRow({ name, version, state, reason, model }: Listed): BannerRow {
  if (model) return { name, version, remark: '', model: servedModel(model.manifest, []) }
  return { name, version, remark: state === 'ready' ? 'loaded when it is first used' : `not served: ${reason}` }
}

/** Of the first model that can be served, which is opened for it if need be. */
async function firstCommand(url: string, listed: readonly Listed[], repository: ModelRepository) {
  for (const { name } of listed.filter(({ state }) => state === 'ready')) {
    try {
      const edition = await repository.borrow(name)
      edition.release()
      return sampleCommand(url, servedModel(edition.model.manifest, []))
    } catch {
      // Why it cannot be served has been said when it was opened.
    }
  }
  return undefined
}

const count = (number: number, noun: string) => `${number} ${noun}${number === 1 ? '' : 's'}`
