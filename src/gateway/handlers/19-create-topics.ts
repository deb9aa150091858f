import { createTopicsApi } from '../../wire/apis/19-create-topics.ts';
import { controllerHandler } from '../controller.ts';

/** The controller decides. */
export const createTopics = controllerHandler({
  api: createTopicsApi,
  min: 2,
  max: 7,
  refuse: (errorCode, { topics }) => ({
    topics: topics.map(({ name }) => ({ name, errorCode, errorMessage: null, configs: [] })),
  }),
  mutations: {
    strictFrom: 6,
    costs: (call, { topics }) =>
      topics.map(({ assignments, numPartitions }) => {
        if (assignments.length > 0) return assignments.length;
        return numPartitions > 0 ? numPartitions : call.gateway.config.numPartitions();
      }),
    only: (request, may) => ({ ...request, topics: request.topics.filter((_, item) => may(item)) }),
    errorCodes: ({ topics }) => topics.map(({ errorCode }) => errorCode),
    join: (answer, refusal) => ({ ...answer, topics: [...answer.topics, ...refusal.topics] }),
  },
});
