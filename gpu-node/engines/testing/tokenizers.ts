/** Small tokenizers in Hugging Face's `tokenizer.json` form. */

export const END = '<|end|>'

/** Byte-level BPE, as GPT-2's: every byte is a token, a few pairs are merged, and `END` is the last token. */
export function byteLevelTokenizer() {
  const bytes = byteCharacters()
  const merges = [
    ['t', 'h'],
    ['th', 'e'],
    ['Ġ', 'the'],
    [bytes[0xf0] ?? '', bytes[0x9f] ?? ''], // the first half of most emoji
  ]
  const tokens = [...bytes, ...merges.map((pair) => pair.join(''))]
  return {
    version: '1.0',
    added_tokens: [{ id: tokens.length, content: END, special: true, normalized: false }],
    normalizer: null,
    pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true },
    post_processor: null,
    decoder: { type: 'ByteLevel' },
    model: { type: 'BPE', vocab: vocabulary(tokens), merges, fuse_unk: false, byte_fallback: false },
  }
}

/** As Llama 2's: words begin with ▁, the first space is dropped, unknown characters are bytes. */
export function metaspaceTokenizer() {
  const bytes = Array.from({ length: 256 }, (_, byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`)
  const tokens = ['<unk>', ...bytes, '▁', ...'abcdefghijklmnopqrstuvwxyz.', '▁the', '▁cat', '▁a']
  return {
    version: '1.0',
    added_tokens: [{ id: 0, content: '<unk>', special: true, normalized: false }],
    normalizer: {
      type: 'Sequence',
      normalizers: [
        { type: 'Prepend', prepend: '▁' },
        { type: 'Replace', pattern: { String: ' ' }, content: '▁' },
      ],
    },
    pre_tokenizer: null,
    post_processor: null,
    decoder: {
      type: 'Sequence',
      decoders: [
        { type: 'Replace', pattern: { String: '▁' }, content: ' ' },
        { type: 'ByteFallback' },
        { type: 'Fuse' },
        { type: 'Strip', content: ' ', start: 1, stop: 0 },
      ],
    },
    model: { type: 'BPE', vocab: vocabulary(tokens), merges: [], fuse_unk: true, byte_fallback: true },
  }
}

const vocabulary = (tokens: readonly string[]) => Object.fromEntries(tokens.map((token, id) => [token, id]))

/** The printable characters that stand for the 256 bytes in byte-level vocabularies (GPT-2's `bytes_to_unicode`). */
function byteCharacters(): string[] {
  let next = 256
  return Array.from({ length: 256 }, (_, byte) => {
    const printable = (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174
    return String.fromCharCode(printable ? byte : next++)
  })
}
