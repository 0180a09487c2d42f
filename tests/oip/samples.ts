import type { Datatype } from '@oriel/protocol/manifest'
import type { NamedTensor } from '@oriel/protocol/tensor'
import { ARRAYS, bytesOfValues } from '@oriel/protocol/tensor'

/** Six values that a careless hand would harm. */
export function samples(datatype: Datatype): NamedTensor['values'] {
  switch (datatype) {
    case 'BYTES':
      return ['', 'plain', 'häß "lich"\n', '\u{1f98a}', '\ufeff\u0001', '</script>']
    case 'BOOL':
      return Uint8Array.of(1, 0, 0, 1, 1, 0)
    case 'INT64':
      return BigInt64Array.of(-(2n ** 63n), 2n ** 63n - 1n, 0n, -1n, 2n ** 53n + 1n, 42n)
    case 'UINT64':
      return BigUint64Array.of(2n ** 64n - 1n, 0n, 1n, 2n ** 53n + 1n, 2n ** 63n, 42n)
    case 'FP16':
      return Float16Array.of(0.1, -65504, 6e-8, 1, -0, 0.333)
    case 'FP32':
      return Float32Array.of(0.1, -3.4028234e38, 1e-45, 16777217, -0, 1 / 3)
    case 'FP64':
      return Float64Array.of(0.1, -Number.MAX_VALUE, 5e-324, 2 ** 53 + 1, -0, 1 / 3)
    default: {
      // All bits and none, so that sign and width show.
      const values = new ARRAYS[datatype](6)
      bytesOfValues(values).fill(0xff, 0, values.BYTES_PER_ELEMENT * 2)
      values.set([0, 1, 42], 3)
      return values
    }
  }
}
