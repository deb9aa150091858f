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
});
