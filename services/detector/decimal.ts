/** A decimal number without rounding: `digits` × 10^−`scale`. */
interface Decimal {
  readonly digits: bigint;
  readonly scale: number;
}

/** Larger exponents are no amounts, and would only make large integers. */
const exponentMax = 400;

/** undefined: not a decimal number. JSON numbers count as their shortest text, which is what was sent. */
function parseDecimal(value: unknown): Decimal | undefined {
  if (typeof value !== 'number' && typeof value !== 'string') return undefined;
  const match = /^([+-]?)(\d{1,400})(?:\.(\d{0,400}))?(?:[eE]([+-]?\d{1,3}))?$/.exec(String(value));
  if (!match) return undefined;
  const [, sign, whole = '', fraction = '', exponent = '0'] = match;
  if (Math.abs(Number(exponent)) > exponentMax) return undefined;
  const digits = BigInt(whole + fraction);
  return { digits: sign === '-' ? -digits : digits, scale: fraction.length - Number(exponent) };
}

/** Whether `value` (a number or decimal text) is a decimal ≥ `threshold`, compared exactly. */
export function isAtLeast(value: unknown, threshold: number): boolean {
  const [a, b] = [parseDecimal(value), parseDecimal(threshold)];
  if (a === undefined || b === undefined) return false;
  const scale = Math.max(a.scale, b.scale);
  return a.digits * 10n ** BigInt(scale - a.scale) >= b.digits * 10n ** BigInt(scale - b.scale);
}
