/**
 * What a schema library offers to whoever is not tied to it: Standard Schema, version 1 (zod, valibot, arktype and
 * others). By structure, so that no package is needed.
 */
export interface StandardSchema<Input = unknown, Output = Input> {
  readonly '~standard': {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => Validated<Output> | Promise<Validated<Output>>;
    readonly types?: { readonly input: Input; readonly output: Output } | undefined;
  };
}

type Validated<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly SchemaIssue[] };

/** What is wrong with a value, and where in it. */
export interface SchemaIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** What a schema does not take. */
export class SchemaRefusal extends Error {
  override name = 'SchemaRefusal';
  readonly issues: readonly SchemaIssue[];

  constructor(issues: readonly SchemaIssue[]) {
    super(Array.from(issues, describe).join('; '));
    this.issues = Array.from(issues);
  }
}

/**
 * What the schema makes of a value, at once: records keep their order because nothing is waited for, so a schema that
 * answers with a promise is refused.
 * @throws SchemaRefusal, or what the schema throws.
 */
export function validate<Output>(schema: StandardSchema<unknown, Output>, value: unknown): Output {
  const { vendor, validate: check } = schema['~standard'];
  const validated = check(value);
  if (isPromise(validated)) {
    validated.catch(() => {});
    const message = `a schema of ${vendor} answers with a promise: keys and values are checked at once`;
    throw new SchemaRefusal([{ message }]);
  }
  if (validated.issues !== undefined) throw new SchemaRefusal(validated.issues);
  return validated.value;
}

function isPromise<T>(given: T | Promise<T>): given is Promise<T> {
  return typeof (given as Partial<Promise<T>>).then === 'function';
}

function describe({ message, path = [] }: SchemaIssue): string {
  const where = path.map((step) => String(typeof step === 'object' ? step.key : step)).join('.');
  return where === '' ? message : `${where}: ${message}`;
}
