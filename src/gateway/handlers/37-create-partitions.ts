import { createPartitionsApi } from '../../wire/apis/37-create-partitions.ts';
import { controllerHandler } from '../controller.ts';

/** The controller decides. */
export const createPartitions = controllerHandler({
  api: createPartitionsApi,
  min: 0,
  max: 3,
  refuse: (errorCode, { topics }) => ({
    throttleTimeMs: 0,
    results: topics.map(({ name }) => ({ name, errorCode, errorMessage: null })),
  }),
  mutations: {
    strictFrom: 3,
    costs: (call, { topics }) =>
      topics.map(({ name, count }) => {
        const has = call.gateway.image.topic(name)?.partitions.length ?? count;
        return Math.max(0, count - has);
      }),
    only: (request, may) => ({ ...request, topics: request.topics.filter((_, item) => may(item)) }),
    errorCodes: ({ results }) => results.map(({ errorCode }) => errorCode),
    join: (answer, refusal) => ({ ...answer, results: [...answer.results, ...refusal.results] }),
  },
});
