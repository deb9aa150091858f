import { ErrorCode } from '../../src/model/errors.ts';
import type { Api, RequestInitOf, ResponseOf } from '../../src/wire/schema.ts';

export interface Given {
  topic: { name: string; id: string };
  unique: string;
  version: number;
}

export interface Case {
  api: Api;
  request: (given: Given) => object;
  /** The codes and facts of the answer, and what they should be. */
  found: (response: never, given: Given) => unknown;
  expected: (given: Given) => unknown;
}

export function of<A extends Api>(
  api: A,
  request: (given: Given) => RequestInitOf<A>,
  found: (response: ResponseOf<A>, given: Given) => unknown,
  expected: unknown = ErrorCode.NONE,
): Case {
  return {
    api,
    request,
    found: found as Case['found'],
    expected: (given) => (typeof expected === 'function' ? expected(given) : expected),
  };
}
