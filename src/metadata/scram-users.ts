/** As the log has it: the salted keys of one password. */
export interface StoredCredential {
  readonly salt: Uint8Array;
  readonly storedKey: Uint8Array;
  readonly serverKey: Uint8Array;
  readonly iterations: number;
}

/** Who may log in, and with which mechanisms (numbers as in AlterUserScramCredentials). */
export class ScramUsers {
  readonly #users = new Map<string, Map<number, StoredCredential>>();

  set(name: string, mechanism: number, credential: StoredCredential): void {
    const mechanisms = this.#users.get(name) ?? new Map<number, StoredCredential>();
    this.#users.set(name, mechanisms.set(mechanism, credential));
  }

  remove(name: string, mechanism: number): void {
    const mechanisms = this.#users.get(name);
    mechanisms?.delete(mechanism);
    if (mechanisms?.size === 0) this.#users.delete(name);
  }

  credential(name: string, mechanism: number): StoredCredential | undefined {
    return this.#users.get(name)?.get(mechanism);
  }

  /** Undefined for a user who is not there. */
  mechanismsOf(name: string): ReadonlyMap<number, StoredCredential> | undefined {
    return this.#users.get(name);
  }

  /** Ascending. */
  names(): string[] {
    return [...this.#users.keys()].toSorted();
  }

  *entries(): Iterable<{ name: string; mechanism: number; credential: StoredCredential }> {
    for (const [name, mechanisms] of this.#users)
      for (const [mechanism, credential] of mechanisms) yield { name, mechanism, credential };
  }
}
