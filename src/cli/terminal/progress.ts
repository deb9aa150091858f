const EVERY_MS = 500;

/** How far a long transfer is, for a person who watches: on a terminal only, and never on stdout. */
export class Progress {
  readonly #isShown: boolean;
  readonly #what: string;
  readonly #startedAtMs = performance.now();
  #shownAtMs = performance.now();
  #records = 0;

  constructor(what: string, isQuiet = false) {
    this.#what = what;
    this.#isShown = !isQuiet && process.stderr.isTTY && !process.env['CI'];
  }

  get records(): number {
    return this.#records;
  }

  add(records: number): void {
    this.#records += records;
    if (!this.#isShown) return;
    const nowMs = performance.now();
    if (nowMs - this.#shownAtMs < EVERY_MS) return;
    this.#shownAtMs = nowMs;
    const perSecond = Math.round(this.#records / ((nowMs - this.#startedAtMs) / 1_000));
    process.stderr.write(`\r\u{1b}[K${this.#what} ${this.#records} records, ${perSecond}/s`);
  }

  /** Leaves the terminal's line as it was. */
  end(): void {
    if (this.#isShown) process.stderr.write('\r\u{1b}[K');
  }
}
