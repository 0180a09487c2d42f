import type { NamedTensor } from '@oriel/protocol/tensor'
import { countOf } from '@oriel/protocol/tensor'
import fc from 'fast-check'

const shape = fc.array(fc.nat(4), { maxLength: 4 })
const name = fc.string({ unit: 'binary' })

/** Any tensor that can be: NaN, -0 and infinities, empty ones, and scalars. */
export const tensor: fc.Arbitrary<NamedTensor> = fc.tuple(name, shape).chain(([name, shape]) => {
  const count = countOf(shape)
  const of = { minLength: count, maxLength: count }
  const bits = (byteLength: number) => fc.uint8Array({ minLength: byteLength, maxLength: byteLength })
  return fc.oneof(
    fc.array(fc.nat(1), of).map((v) => ({ name, shape, datatype: 'BOOL' as const, values: Uint8Array.from(v) })),
    fc.uint8Array(of).map((values) => ({ name, shape, datatype: 'UINT8' as const, values })),
    fc.uint16Array(of).map((values) => ({ name, shape, datatype: 'UINT16' as const, values })),
    fc.uint32Array(of).map((values) => ({ name, shape, datatype: 'UINT32' as const, values })),
    fc.bigUint64Array(of).map((values) => ({ name, shape, datatype: 'UINT64' as const, values })),
    fc.int8Array(of).map((values) => ({ name, shape, datatype: 'INT8' as const, values })),
    fc.int16Array(of).map((values) => ({ name, shape, datatype: 'INT16' as const, values })),
    fc.int32Array(of).map((values) => ({ name, shape, datatype: 'INT32' as const, values })),
    fc.bigInt64Array(of).map((values) => ({ name, shape, datatype: 'INT64' as const, values })),
    bits(count * 2).map((b) => ({
      name,
      shape,
      datatype: 'FP16' as const,
      values: new Float16Array(b.slice().buffer),
    })),
    fc.float32Array(of).map((values) => ({ name, shape, datatype: 'FP32' as const, values })),
    fc.float64Array(of).map((values) => ({ name, shape, datatype: 'FP64' as const, values })),
    fc
      .array(fc.string({ unit: 'binary' }), of)
      .map((values) => ({ name, shape, datatype: 'BYTES' as const, values: values as readonly string[] })),
  )
})

export const tensors: fc.Arbitrary<NamedTensor[]> = fc.uniqueArray(tensor, {
  maxLength: 3,
  selector: ({ name }) => name,
})
