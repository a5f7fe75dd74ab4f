/** A decimal number without rounding: digits × 10^-scale. */
interface Decimal {
  readonly digits: bigint;
  readonly scale: number;
}

/** Longer numbers are not quantities or prices, and an exponent of thousands would fill the memory. */
const maxCharacters = 40;
const maxExponent = 40;

/**
 * The exact product of decimal texts or numbers, rounded once, to the nearest double. Undefined if one is no
 * decimal.
 */
export function exactProduct(factors: readonly unknown[]): number | undefined {
  let digits = 1n;
  let scale = 0;
  for (const factor of factors) {
    const decimal = parseDecimal(factor);
    if (decimal === undefined) return undefined;
    digits *= decimal.digits;
    scale += decimal.scale;
  }
  return Number(`${digits}e${-scale}`);
}

/** A number, or a text that is wholly one; undefined otherwise. */
export function toNumber(value: unknown): number | undefined {
  return parseDecimal(value) === undefined ? undefined : Number(value);
}

function parseDecimal(value: unknown): Decimal | undefined {
  if (typeof value !== 'string' && typeof value !== 'number') return undefined;
  const text = String(value);
  const match = /^([+-]?\d+)(?:\.(\d+))?(?:[eE]([+-]?\d{1,3}))?$/.exec(text);
  if (match === null || text.length > maxCharacters) return undefined;
  const [, whole = '', fraction = '', exponent = '0'] = match;
  if (Math.abs(Number(exponent)) > maxExponent) return undefined;
  return { digits: BigInt(whole.replace('+', '') + fraction), scale: fraction.length - Number(exponent) };
}
