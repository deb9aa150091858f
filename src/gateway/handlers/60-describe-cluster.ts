import { ErrorCode } from '../../model/errors.ts';
import { describeClusterApi } from '../../wire/apis/60-describe-cluster.ts';
import { clusterOperations } from '../access/operations.ts';
import { handler } from '../handler.ts';
import { brokerOf } from './03-metadata.ts';

const EndpointType = { BROKERS: 1, CONTROLLERS: 2 } as const;

/** The one broker, under the address the client came in on. Left out: controller endpoints (KIP-919). */
export const describeCluster = handler({
  api: describeClusterApi,
  min: 0,
  max: 2,
  handle(call, { endpointType, includeClusterAuthorizedOperations }) {
    const { config, image } = call.gateway;
    const base = { throttleTimeMs: 0, endpointType, clusterId: image.clusterId, controllerId: config.nodeId };
    if (endpointType !== EndpointType.BROKERS) {
      const errorMessage = 'this listener serves brokers (endpoint type 1)';
      const isKnown = endpointType === EndpointType.CONTROLLERS;
      const errorCode = isKnown ? ErrorCode.MISMATCHED_ENDPOINT_TYPE : ErrorCode.UNSUPPORTED_ENDPOINT_TYPE;
      return call.reply({ ...base, controllerId: -1, errorCode, errorMessage, brokers: [] });
    }
    const { nodeId: brokerId, host, port, rack } = brokerOf(call);
    const brokers = [{ brokerId, host, port, rack, isFenced: false }];
    const operations = clusterOperations(call, includeClusterAuthorizedOperations);
    const found = { errorCode: ErrorCode.NONE, errorMessage: null, brokers };
    call.reply({ ...base, ...found, clusterAuthorizedOperations: operations });
  },
});
