import type { Datatype, TensorSpec } from '@oriel/protocol/manifest'
import type { ServedModel } from './port.ts'

/** `GET /v2/models/{name}`: shapes with the batch dimension. */
export const metadataForm = (model: ServedModel) => ({
  name: model.name,
  versions: [...model.versions],
  platform: model.platform,
  inputs: model.inputs.map((spec) => metadataTensor(spec, model)),
  outputs: model.outputs.map((spec) => metadataTensor(spec, model)),
})

const metadataTensor = ({ name, datatype, shape }: TensorSpec, { maxBatch }: ServedModel) => ({
  name,
  datatype,
  shape: maxBatch >= 1 ? [-1, ...shape] : [...shape],
})

/** `GET /v2/models/{name}/config`: what Triton's configuration of the model would say; dims are of one item. */
export const configForm = (model: ServedModel) => ({
  name: model.name,
  platform: model.platform,
  backend: model.platform.split('_')[0],
  version_policy: { latest: { num_versions: 1 } },
  max_batch_size: model.maxBatch,
  input: model.inputs.map((spec) => ({
    ...configTensor(spec),
    format: 'FORMAT_NONE',
    is_shape_tensor: false,
    allow_ragged_batch: false,
    optional: false,
  })),
  output: model.outputs.map((spec) => ({ ...configTensor(spec), label_filename: '', is_shape_tensor: false })),
  ...(model.maxBatch > 1 && { dynamic_batching: {} }),
  model_transaction_policy: { decoupled: model.generates ?? false },
})

const configTensor = ({ name, datatype, shape }: TensorSpec) => ({
  name,
  data_type: `TYPE_${configDatatype(datatype)}`,
  // Triton has no word for an item without dimensions but this.
  ...(shape.length > 0 ? { dims: [...shape] } : { dims: [1], reshape: { shape: [] } }),
})

const configDatatype = (datatype: Datatype): string => (datatype === 'BYTES' ? 'STRING' : datatype)
