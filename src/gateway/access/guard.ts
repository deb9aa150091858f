import { ErrorCode } from '../../model/errors.ts';
import type { Api, RequestOf, ResponseInitOf } from '../../wire/schema.ts';
import type { Call } from '../call.ts';
import type { Access } from './access.ts';

/** One request, and who asks. */
export interface Asked<A extends Api> {
  call: Call;
  request: RequestOf<A>;
  access: Access;
}

/**
 * What stands before a handler where not all may all: takes out of a request what its caller may not, and puts the
 * refusals into the answer (`call.amend`). Undefined: it has answered itself.
 */
export interface Guard<A extends Api = Api> {
  api: A;
  /** @returns what is left to be handled. */
  check(asked: Asked<A>): RequestOf<A> | undefined;
}

/** Lets a table hold guards of different APIs. */
export function guard<A extends Api>(api: A, check: Guard<A>['check']): Guard {
  return { api, check } as unknown as Guard;
}

/** Everybody may ask. */
export function open<A extends Api>(api: A): Guard {
  return guard(api, ({ request }) => request);
}

/** All or nothing: whoever may not is answered with the code. */
export function wholly<A extends Api>(
  api: A,
  refusalOf: (asked: Asked<A>) => number | undefined,
  refuse: (errorCode: number, request: RequestOf<A>) => ResponseInitOf<A>,
): Guard {
  return guard(api, (asked) => {
    const errorCode = refusalOf(asked);
    if (errorCode === undefined) return asked.request;
    asked.call.reply(refuse(errorCode, asked.request));
    return undefined;
  });
}

/** Of a resource of the cluster as a whole. */
export function clusterRefusal(operation: number) {
  return ({ access }: { access: Access }): number | undefined =>
    access.cluster(operation) ? undefined : ErrorCode.CLUSTER_AUTHORIZATION_FAILED;
}

/** Parts the items into those that may be asked for and the others. */
export function parted<T>(items: readonly T[], may: (item: T) => boolean): { allowed: T[]; refused: T[] } {
  const allowed: T[] = [];
  const refused: T[] = [];
  for (const item of items) (may(item) ? allowed : refused).push(item);
  return { allowed, refused };
}
