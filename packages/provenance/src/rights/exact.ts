// Exact fractions: shares and sums of money must come out the same however they are added up.

const gcd = (a: bigint, b: bigint): bigint => (b === 0n ? (a < 0n ? -a : a) : gcd(b, a % b));

/** Digits before and after the point that a decimal may have: a record comes from anybody. */
const DECIMAL = /^(\d{1,18})(?:[.,](\d{1,9}))?$/;

export class Fraction {
  private constructor(
    readonly numerator: bigint,
    /** Above 0. */
    readonly denominator: bigint,
  ) {}

  static readonly zero = new Fraction(0n, 1n);

  private static of(numerator: bigint, denominator: bigint): Fraction {
    const by = gcd(numerator, denominator) || 1n;
    return new Fraction(numerator / by, denominator / by);
  }

  /** A decimal of 0 or more, with a point or a comma before its fraction; undefined for other texts. */
  static read(text: string): Fraction | undefined {
    const [found, whole = '', part = ''] = DECIMAL.exec(text.trim()) ?? [];
    return found === undefined ? undefined : Fraction.of(BigInt(whole + part), 10n ** BigInt(part.length));
  }

  static whole = (value: number): Fraction => new Fraction(BigInt(value), 1n);

  plus = ({ numerator, denominator }: Fraction): Fraction => Fraction.of(this.numerator * denominator + numerator * this.denominator, this.denominator * denominator);
  minus = ({ numerator, denominator }: Fraction): Fraction => this.plus(new Fraction(-numerator, denominator));
  times = ({ numerator, denominator }: Fraction): Fraction => Fraction.of(this.numerator * numerator, this.denominator * denominator);
  /** @throws RangeError for a division by nothing. */
  over(by: Fraction): Fraction {
    if (by.numerator === 0n) throw new RangeError('a division by nothing');
    const sign = by.numerator < 0n ? -1n : 1n;
    return Fraction.of(this.numerator * by.denominator * sign, this.denominator * by.numerator * sign);
  }
  /** Below 0, 0 or above 0, as this is less than, equal to or more than another. */
  compare = (other: Fraction): number => {
    const { numerator } = this.minus(other);
    return numerator < 0n ? -1 : numerator > 0n ? 1 : 0;
  };

  /** Rounded to so many places, halves away from 0. */
  toFixed(places: number): string {
    const sign = this.numerator < 0n ? '-' : '';
    const scaled = 2n * (sign ? -this.numerator : this.numerator) * 10n ** BigInt(places);
    const rounded = (scaled + this.denominator) / (2n * this.denominator);
    const digits = String(rounded).padStart(places + 1, '0');
    const text = places === 0 ? digits : `${digits.slice(0, -places)}.${digits.slice(-places)}`;
    return /[1-9]/.test(text) ? sign + text : text;
  }

  /** Of a whole, as in '12.5%'. */
  get percent(): string {
    return `${this.times(Fraction.whole(100)).toFixed(1)}%`;
  }

  /** The decimal where it ends, and a/b where it does not. */
  toString(): string {
    let [left, places] = [this.denominator, 0];
    for (const by of [10n, 5n, 2n]) for (; left % by === 0n; left /= by) places++;
    return left === 1n ? this.toFixed(places).replace(/(\.\d*?)0+$/, '$1').replace(/\.$/, '') : `${this.numerator}/${this.denominator}`;
  }
}
