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
});
