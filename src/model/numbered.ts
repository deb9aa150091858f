const PLACES = 1024;

/**
 * What is kept under numbers that count up, most of it for a moment. A `Map` whose entries come and go outgrows its
 * table all the time, and each table that V8 has left leads to the next: what was in one when it was left, and all that
 * refers to, lives until the whole heap is collected. So each number has its place here, and what is still there when
 * a later one needs it goes to a `Map`.
 */
export class Numbered<T extends object> {
  readonly #numbers = Array.from({ length: PLACES }, () => 0);
  readonly #values = Array.from({ length: PLACES }, (): T | undefined => undefined);
  readonly #lasting = new Map<number, T>();

  /** @param number 0 or more. */
  get(number: number): T | undefined {
    const place = number % PLACES;
    const value = this.#numbers[place] === number ? this.#values[place] : undefined;
    return value ?? this.#lasting.get(number);
  }

  set(number: number, value: T): void {
    const place = number % PLACES;
    const known = this.#numbers[place] ?? 0;
    const held = this.#values[place];
    if (known !== number && held !== undefined) this.#lasting.set(known, held);
    if (this.#lasting.size > 0) this.#lasting.delete(number);
    this.#numbers[place] = number;
    this.#values[place] = value;
  }

  /** @returns whether there was any. */
  delete(number: number): boolean {
    const place = number % PLACES;
    if (this.#numbers[place] !== number || this.#values[place] === undefined)
      return this.#lasting.delete(number);
    this.#values[place] = undefined;
    return true;
  }
}
