import { ErrorCode } from '../../model/errors.ts';
import { SUPPORTED_FEATURES } from '../../metadata/registration.ts';
import { apiVersionsApi } from '../../wire/apis/18-api-versions.ts';
import type { Call } from '../call.ts';
import { handler } from '../handler.ts';

const SOFTWARE_NAME = /^[a-zA-Z0-9](?:[a-zA-Z0-9\-.]*[a-zA-Z0-9])?$/;

/** From this version on clients know that a feature can be off. */
const FEATURES_AT_ZERO_VERSION = 4;

/**
 * The versions we serve. A client that asks in a version we do not know gets a v0 answer with UNSUPPORTED_VERSION
 * and our range of this one API, so that it can step down (KIP-511).
 */
export const apiVersions = handler({
  api: apiVersionsApi,
  min: 0,
  max: 4,
  handle(call, request) {
    if (call.version >= 3) {
      const { clientSoftwareName, clientSoftwareVersion } = request;
      if (!SOFTWARE_NAME.test(clientSoftwareName) || !SOFTWARE_NAME.test(clientSoftwareVersion)) {
        return call.reply({ errorCode: ErrorCode.INVALID_REQUEST, apiKeys: [] });
      }
      call.connection.software = { name: clientSoftwareName, version: clientSoftwareVersion };
    }
    const { image } = call.gateway;
    call.reply({
      errorCode: ErrorCode.NONE,
      apiKeys: servedVersions(call),
      throttleTimeMs: 0,
      supportedFeatures: supportedFeatures(call.version),
      finalizedFeaturesEpoch: image.version,
      // A directory of Kafka's has features at levels that we do not serve.
      finalizedFeatures: SUPPORTED_FEATURES.flatMap(({ name }) => {
        const level = image.features.get(name) ?? 0;
        return level === 0 ? [] : [{ name, minVersionLevel: level, maxVersionLevel: level }];
      }),
    });
  },
  handleUnsupported(call) {
    const apiKeys = servedVersions(call).filter(({ apiKey }) => apiKey === apiVersionsApi.key);
    call.reply({ errorCode: ErrorCode.UNSUPPORTED_VERSION, apiKeys }, 0);
  },
});

/** Clients of v3 take a feature that can be off for a fault, so they are not told of one (KAFKA-17011). */
function supportedFeatures(apiVersion: number) {
  return SUPPORTED_FEATURES.map(({ name, minSupportedVersion, maxSupportedVersion }) => ({
    name,
    minVersion: minSupportedVersion,
    maxVersion: maxSupportedVersion,
  })).filter(({ minVersion }) => minVersion > 0 || apiVersion >= FEATURES_AT_ZERO_VERSION);
}

function servedVersions(call: Call) {
  return [...call.gateway.handlers]
    .filter((each) => each.isOff?.(call.gateway) !== true)
    .map(({ api, min, max, advertisedMin }) => ({
      apiKey: api.key,
      minVersion: advertisedMin ?? min,
      maxVersion: max,
    }))
    .sort((a, b) => a.apiKey - b.apiKey);
}
