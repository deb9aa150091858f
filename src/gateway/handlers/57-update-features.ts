import { updateFeaturesApi } from '../../wire/apis/57-update-features.ts';
import { controllerHandler } from '../controller.ts';

/** The controller decides. */
export const updateFeatures = controllerHandler({
  api: updateFeaturesApi,
  min: 0,
  max: 2,
  refuse(errorCode, { featureUpdates }) {
    const results = featureUpdates.map(({ feature }) => ({ feature, errorCode, errorMessage: null }));
    return { throttleTimeMs: 0, errorCode, errorMessage: null, results };
  },
});
