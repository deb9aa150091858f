/** What a log has to do on disk, in the order it was asked for. */
export class WorkQueue {
  #steps: (() => Promise<void>)[] = [];

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

  /** Does everything, what is pushed meanwhile too. One call at a time; after a failure the queue is of no use. */
  async run(): Promise<void> {
    while (this.#steps.length > 0) {
      const steps = this.#steps;
      this.#steps = [];
      for (const step of steps) await step();
    }
  }
}
