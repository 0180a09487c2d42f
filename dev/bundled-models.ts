import { Glob } from 'bun'

/** The names of the models in a folder: `<name>/<version>/manifest.json`. */
export function bundledModels(modelsDir: string): string[] {
  const manifests = new Glob('*/*/manifest.json').scanSync({ cwd: modelsDir })
  return [...new Set([...manifests].flatMap((path) => path.split('/')[0] ?? []))].sort()
}
