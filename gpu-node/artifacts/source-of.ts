import type { Config } from '../config.ts'
import type { ArtifactSource } from './artifact-source.ts'
import { HttpArtifacts } from './http-artifacts.ts'
import { S3Artifacts } from './s3-artifacts.ts'

/** Where this node fetches files: the bucket itself, or the edge. `undefined`: it has only its folder. */
export function sourceOf(config: Config): ArtifactSource | undefined {
  const { ORIEL_S3_BUCKET: bucket, ORIEL_ARTIFACTS_URL: url, ORIEL_ARTIFACTS_TOKEN: token } = config
  if (bucket !== undefined) {
    const { ORIEL_S3_ENDPOINT, ORIEL_S3_ACCESS_KEY_ID, ORIEL_S3_SECRET_ACCESS_KEY, ORIEL_S3_REGION } = config
    return new S3Artifacts({
      bucket,
      region: ORIEL_S3_REGION,
      ...(ORIEL_S3_ENDPOINT !== undefined && { endpoint: ORIEL_S3_ENDPOINT }),
      ...(ORIEL_S3_ACCESS_KEY_ID !== undefined && { accessKeyId: ORIEL_S3_ACCESS_KEY_ID }),
      ...(ORIEL_S3_SECRET_ACCESS_KEY !== undefined && { secretAccessKey: ORIEL_S3_SECRET_ACCESS_KEY }),
    })
  }
  return url === undefined ? undefined : new HttpArtifacts(url, token ?? '')
}
