/** What a log has to do on disk, in the order it was asked for. */
export class WorkQueue {
  #steps: (() => Promise<void>)[] = [];
  #goesOn = false;

  get size(): number {
    return this.#steps.length;
  }

  push(step: () => Promise<void>): void {
    this.#steps.push(step);
  }

  /** All of it has been done in another way. */
  clear(): void {
    this.#steps = [];
  }

  /**
   * Does all there is; what is pushed meanwhile is for the next call, so that nobody waits for what comes behind him.
   * One call at a time; after a failure the queue is of no use.
   */
  async run(): Promise<void> {
    do {
      this.#goesOn = false;
      const steps = this.#steps;
      this.#steps = [];
      for (const step of steps) await step();
    } while (this.#goesOn);
  }

  /** Said by a step: what it has pushed was asked for before this call, which does that too. */
  goOn(): void {
    this.#goesOn = true;
  }
}
