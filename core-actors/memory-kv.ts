/** The part of a Durable Object's key-value storage that is used, for tests. */
export function memoryKv(stored = new Map<string, unknown>()): SyncKvStorage {
  const kv = {
    get: (key: string) => stored.get(key),
    put: (key: string, value: unknown) => void stored.set(key, value),
    delete: (key: string) => stored.delete(key),
  }
  return kv as SyncKvStorage
}
