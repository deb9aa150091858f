import { alterConfigsApi } from '../../wire/apis/33-alter-configs.ts';
import { controllerHandler } from '../controller.ts';

/** The controller decides; superseded by IncrementalAlterConfigs. */
export const alterConfigs = controllerHandler({
  api: alterConfigsApi,
  min: 0,
  max: 2,
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
