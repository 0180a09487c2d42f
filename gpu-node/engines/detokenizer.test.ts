import { expect, test } from 'bun:test'
import { Tokenizer } from '@huggingface/tokenizers'
import fc from 'fast-check'
import { Detokenizer } from './detokenizer.ts'
import { byteLevelTokenizer, END, metaspaceTokenizer } from './testing/tokenizers.ts'

const decoderOf = (json: object) => {
  const tokenizer = new Tokenizer(json, {})
  const decode = (tokens: number[]) =>
    tokenizer.decode(tokens, { skip_special_tokens: true, clean_up_tokenization_spaces: false })
  return { tokenizer, decode }
}
const bytes = decoderOf(byteLevelTokenizer())
const words = decoderOf(metaspaceTokenizer())

const pieces = (decode: (tokens: number[]) => string, context: readonly number[], tokens: readonly number[]) => {
  const detokenizer = new Detokenizer(decode, context)
  return [...tokens.map((token) => detokenizer.push(token)), detokenizer.flush()]
}

test('half a character is held back until it is whole', () => {
  const { ids } = bytes.tokenizer.encode('a😀b')
  expect(pieces(bytes.decode, [], ids)).toEqual(['a', '', '', '😀', 'b', ''])
})

test('the pieces of any text are the text, and none has a broken character', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 60 }), fc.string({ unit: 'binary' }), (text, prompt) => {
      const { ids } = bytes.tokenizer.encode(text)
      const found = pieces(bytes.decode, bytes.tokenizer.encode(prompt).ids, ids)
      expect(found.join('')).toBe(text)
      if (!text.includes('\uFFFD')) expect(found.join('')).not.toContain('\uFFFD')
    }),
    { numRuns: 500 },
  )
})

test('bytes that never become a character are shown as broken, and what follows is whole again', () => {
  const soup = fc.array(fc.nat(255), { maxLength: 14 })
  fc.assert(
    fc.property(soup, (tokens) => {
      expect(pieces(bytes.decode, [], tokens).join('')).toBe(tokens.length === 0 ? '' : bytes.decode(tokens))
    }),
    { numRuns: 2000 },
  )
  const babble = Array.from({ length: 500 }, () => 0x80)
  const detokenizer = new Detokenizer(bytes.decode, [])
  const shown = babble.map((token) => detokenizer.push(token)).join('')
  expect(shown.length).toBeGreaterThan(400)
  expect(detokenizer.push(65)).toEndWith('A')
})

test('a word keeps the space before it, though the decoder drops the first one', () => {
  const context = words.tokenizer.encode('the cat').ids
  const more = words.tokenizer.encode('a the cat.').ids
  expect(pieces(words.decode, context, more).join('')).toBe(' a the cat.')
})

test('a first word without a prompt has no space before it', () => {
  expect(pieces(words.decode, [], words.tokenizer.encode('the cat').ids).join('')).toBe('the cat')
})

test('bytes that stand for a character are held back, too', () => {
  const { ids } = words.tokenizer.encode('é😀')
  const found = pieces(words.decode, [], ids)
  expect(found.join('')).toBe('é😀')
})

test('special tokens have no text', () => {
  const end = bytes.tokenizer.token_to_id(END) ?? -1
  expect(pieces(bytes.decode, [], [65, end, 66]).join('')).toBe('AB')
})
