/** Runs one check and reports it; a check that throws has failed, and the suite goes on. @returns whether it passed. */
export type Check = (name: string, work: () => Promise<void> | void) => Promise<boolean>;

/** Checks that need a toolchain the tests do not: `npm run test:compat` runs them. A module exports one as `suite`. */
export interface Suite {
  readonly name: string;
  /** Why the suite cannot run here (what is missing, in a few words); undefined when all it needs is there. */
  missing(): Promise<string | undefined>;
  run(check: Check): Promise<void>;
}
