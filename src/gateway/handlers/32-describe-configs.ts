import { describeConfigs as describe } from '../../metadata/configs/describe.ts';
import { describeConfigsApi } from '../../wire/apis/32-describe-configs.ts';
import { handler } from '../handler.ts';

/** Every setting of topics, brokers and groups, read from the gateway's own copy of the metadata. */
export const describeConfigs = handler({
  api: describeConfigsApi,
  min: 1,
  max: 4,
  handle(call, request) {
    const { image, config } = call.gateway;
    call.reply(describe({ image, nodeId: config.nodeId, staticConfigs: config.staticConfigs }, request));
  },
});
