import { ErrorCode } from '../model/errors.ts';
import { METADATA_SHARD, type ShardReply } from '../ports/shard-link.ts';
import { createTopicsApi } from '../wire/apis/19-create-topics.ts';
import type { Api, RequestOf, ResponseInitOf } from '../wire/schema.ts';
import type { Call } from './call.ts';
import { type Handler, handler } from './handler.ts';
import { meter, type Mutations } from './mutations.ts';

/** What differs between the APIs that the controller decides. */
interface ControllerApi<A extends Api> {
  api: A;
  min: number;
  max: number;
  /** The answer that only says an error. */
  refuse: (errorCode: number, request: RequestOf<A>) => ResponseInitOf<A>;
  /** Of one that counts as a change of metadata. */
  mutations?: Mutations<A>;
}

/** A request that changes metadata goes whole to the controller. */
export function controllerHandler<A extends Api>({ refuse, mutations, ...rest }: ControllerApi<A>): Handler {
  return handler<A>({
    ...rest,
    exclusive: true,
    handle(call, request) {
      const metered = mutations && meter(call, request, { mutations, refuse });
      if (metered === undefined)
        return askController(call, request, (errorCode) => refuse(errorCode, request));
      call.ask(METADATA_SHARD, metered.request, (reply) => {
        const errorCode = controllerError(reply);
        const answer = errorCode === undefined ? reply.body : refuse(errorCode, metered.request);
        call.reply(metered.answered(answer as ResponseInitOf<A>));
      });
    },
  });
}

/** The answer to `call` is the controller's to `body`. @param refuse the answer where its shard cannot serve. */
export function askController(call: Call, body: unknown, refuse: (errorCode: number) => unknown): void {
  call.ask(METADATA_SHARD, body, (reply) => {
    const errorCode = controllerError(reply);
    call.reply(errorCode === undefined ? reply.body : refuse(errorCode));
  });
}

/** Goes on once a topic that coordinators keep is there, or could not be made. */
export function withInternalTopic(call: Call, name: string, done: () => void): void {
  if (call.gateway.image.topic(name) !== undefined) return done();
  const topic = { name, numPartitions: -1, replicationFactor: -1, assignments: [], configs: [] };
  const creation = { topics: [topic], timeoutMs: 30_000, validateOnly: false };
  call.askAs(createTopicsApi.key, createTopicsApi.versions.max, METADATA_SHARD, creation, done);
}

/** What a client may retry when the controller's shard cannot serve; undefined when it has answered. */
export function controllerError(reply: ShardReply): number | undefined {
  return reply.errorCode === undefined ? undefined : ErrorCode.NOT_CONTROLLER;
}
