/** Calls that come one behind the other, whatever becomes of each. */
export class CallLine {
  /** The last of them, until it is over. */
  #last: Promise<unknown> | undefined;

  get isFree(): boolean {
    return this.#last === undefined;
  }

  /** Begins when those before are over: at once when there are none. */
  add<T>(work: () => Promise<T>): Promise<T> {
    const call = this.#last === undefined ? work() : this.#last.then(work, work);
    this.#last = call;
    const left = () => {
      if (this.#last === call) this.#last = undefined;
    };
    call.then(left, left);
    return call;
  }
}
