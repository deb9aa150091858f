/** A broken invariant of ours: never a client's fault, never caught to go on. */
export class InvariantError extends Error {
  override name = 'InvariantError';
}

/** Throws `InvariantError` unless `condition` holds. `what` says what must be true. */
export function invariant(condition: unknown, what: string): asserts condition {
  if (!condition) throw new InvariantError(what);
}

/** For the `default` of an exhaustive switch: forgetting a case does not compile. */
export function unreachable(value: never): never {
  throw new InvariantError(`unreachable: ${JSON.stringify(value)}`);
}

/** The element at `index`, which the caller knows to be there. */
export function at<T>(items: readonly T[], index: number): T {
  const item = items[index];
  if (item === undefined) throw new InvariantError(`no element ${index} of ${items.length}`);
  return item;
}
