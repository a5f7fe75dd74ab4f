/** A time zone of the IANA database, as Intl knows it. */
export interface Zone {
  readonly name: string;
  /**
   * Seconds since the epoch of a local time, given as if it were UTC. A local time that occurs twice is the
   * first of the two; one that is skipped is read with the offset before the skip (Python's fold 0).
   */
  readonly toEpochSeconds: (localSeconds: number) => number;
}

const day = 86_400;
/** Zones have changed their offsets at whole quarters of an hour since standard time exists. */
const bucket = 900;
/** Five years of quarter hours; a file with more starts the cache afresh. */
const maxCached = 200_000;

/** Throws RangeError if there is no such zone. */
export function createZone(name: string): Zone {
  if (name === 'UTC') return { name, toEpochSeconds: (localSeconds) => localSeconds };
  const offsetAt = cachedOffsets(name);
  return {
    name,
    toEpochSeconds: (localSeconds) => {
      const midnight = Math.floor(localSeconds / day) * day;
      const before = offsetAt(midnight - day);
      const after = offsetAt(midnight + 2 * day);
      const early = localSeconds - before;
      if (before === after || offsetAt(early) === before) return early;
      const late = localSeconds - after;
      return offsetAt(late) === after ? late : early;
    },
  };
}

/** Seconds east of UTC at an epoch second. Intl takes microseconds per question, so answers are kept. */
function cachedOffsets(name: string): (epochSeconds: number) => number {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: name,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
  const known = new Map<number, number>();
  return (epochSeconds) => {
    const key = Math.floor(epochSeconds / bucket);
    const cached = known.get(key);
    if (cached !== undefined) return cached;
    if (known.size >= maxCached) known.clear();
    const offset = localSecondsAt(format, key * bucket) - key * bucket;
    known.set(key, offset);
    return offset;
  };
}

function localSecondsAt(format: Intl.DateTimeFormat, epochSeconds: number): number {
  const parts = format.formatToParts(epochSeconds * 1_000);
  const part = (type: string): number => Number(parts.find((candidate) => candidate.type === type)?.value);
  const ms = Date.UTC(
    part('year'),
    part('month') - 1,
    part('day'),
    part('hour'),
    part('minute'),
    part('second'),
  );
  return ms / 1_000;
}
