import type { ObjectBody, Objects } from '../../lib/stores/objects.ts';

export interface MemoryObjects extends Objects {
  readonly stored: Map<string, Uint8Array>;
}

/** A bucket in memory, with conditional creation as S3 has it. */
export function createMemoryObjects(): MemoryObjects {
  const stored = new Map<string, Uint8Array>();
  return {
    stored,
    create: async (object: ObjectBody) => {
      if (stored.has(object.key)) return 'exists';
      stored.set(object.key, object.bytes);
      return 'created';
    },
    put: async (object: ObjectBody) => {
      stored.set(object.key, object.bytes);
    },
    get: async (key) => stored.get(key),
    list: async function* (prefix) {
      for (const key of [...stored.keys()].filter((k) => k.startsWith(prefix)).sort()) yield key;
    },
  };
}
