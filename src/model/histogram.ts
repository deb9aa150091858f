/** How often values fell where: cumulative when read, as Prometheus has it; adding one allocates nothing. */
export class Histogram {
  /** Upper bounds, inclusive, ascending; what is above all of them is only in `count`. */
  readonly bounds: readonly number[];
  readonly #counts: Float64Array;
  sum = 0;
  count = 0;

  constructor(bounds: readonly number[]) {
    this.bounds = bounds;
    this.#counts = new Float64Array(bounds.length);
  }

  add(value: number): void {
    this.sum += value;
    this.count++;
    for (let at = 0; at < this.bounds.length; at++) {
      if (value > (this.bounds[at] ?? Infinity)) continue;
      this.#counts[at] = (this.#counts[at] ?? 0) + 1;
      return;
    }
  }

  /** For each bound, how many values were at or below it. */
  cumulative(): number[] {
    let below = 0;
    return Array.from(this.#counts, (count) => (below += count));
  }
}
