/** Waits for the answers of several shards: `done` is called once, when all that `enter`ed have left. */
export class Gather {
  readonly #done: () => void;
  #waiting = 1;

  constructor(done: () => void) {
    this.#done = done;
  }

  enter(): void {
    this.#waiting++;
  }

  leave(): void {
    if (--this.#waiting === 0) this.#done();
  }

  /** All have entered. Calls `done` at once when all have left already. */
  seal(): void {
    this.leave();
  }
}
