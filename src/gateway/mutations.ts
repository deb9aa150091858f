import { ErrorCode } from '../model/errors.ts';
import type { Api, RequestOf, ResponseInitOf } from '../wire/schema.ts';
import type { Call } from './call.ts';
import { quotaClient } from './throttle.ts';

/** How a request that changes metadata is measured, item by item (KIP-599). */
export interface Mutations<A extends Api> {
  /** From this version on what is too much is refused; before it, it is done, and its client has to wait. */
  strictFrom: number;
  /** How many partitions each of its items makes, or takes away. */
  costs(call: Call, request: RequestOf<A>): number[];
  /** The request with those of its items that may be. */
  only(request: RequestOf<A>, may: (item: number) => boolean): RequestOf<A>;
  /** The items of the answer, in order. */
  errorCodes(answer: ResponseInitOf<A>): readonly number[];
  /** One answer: the items of both. */
  join(answer: ResponseInitOf<A>, refusal: ResponseInitOf<A>): ResponseInitOf<A>;
}

/** What is left of a request, and what becomes of the answer to it. */
export interface Metered<A extends Api> {
  request: RequestOf<A>;
  answered(answer: ResponseInitOf<A>): ResponseInitOf<A>;
}

/** Undefined where its client may change as much as it likes. */
export function meter<A extends Api>(
  call: Call,
  request: RequestOf<A>,
  {
    mutations,
    refuse,
  }: { mutations: Mutations<A>; refuse: (errorCode: number, request: RequestOf<A>) => ResponseInitOf<A> },
): Metered<A> | undefined {
  const { quotas, clock } = call.gateway;
  const quota = quotas.isEmpty ? undefined : quotas.mutationsOf(quotaClient(call.caller), clock.now());
  if (quota === undefined || (request as { validateOnly?: boolean }).validateOnly === true) return undefined;
  const isStrict = call.version >= mutations.strictFrom;
  const costs = mutations.costs(call, request);
  const may = costs.map((cost) => {
    const now = clock.now();
    if (isStrict && quota.throttleMs(now) > 0) return false;
    quota.take(cost, now);
    return true;
  });
  const taken = costs.filter((_, item) => may[item]);
  const left = mutations.only(request, (item) => may[item] === true);
  const over = mutations.only(request, (item) => may[item] !== true);
  return {
    request: left,
    answered(answer) {
      const errors = mutations.errorCodes(answer);
      // What was not done costs nothing.
      const given = taken.reduce((sum, cost, item) => sum + ((errors[item] ?? 0) === 0 ? 0 : cost), 0);
      const now = clock.now();
      if (given > 0) quota.take(-given, now);
      call.throttleMs = Math.max(call.throttleMs, quota.throttleMs(now));
      if (taken.length === costs.length) return answer;
      return mutations.join(answer, refuse(ErrorCode.THROTTLING_QUOTA_EXCEEDED, over));
    },
  };
}
