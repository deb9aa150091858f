import { incrementalAlterConfigsApi } from '../../wire/apis/44-incremental-alter-configs.ts';
import { controllerHandler } from '../controller.ts';

/** The controller decides. */
export const incrementalAlterConfigs = controllerHandler({
  api: incrementalAlterConfigsApi,
  min: 0,
  max: 1,
  refuse: (errorCode, { resources }) => ({
    throttleTimeMs: 0,
    responses: resources.map(({ resourceType, resourceName }) => ({
      errorCode,
      errorMessage: null,
      resourceType,
      resourceName,
    })),
  }),
});
