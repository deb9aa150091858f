import { heartbeatApi } from '../../wire/apis/12-heartbeat.ts';
import { groupHandler } from '../groups.ts';
import { ALIVE } from '../heartbeat-leases.ts';

/** Where a coordinator should sleep, most are answered here: see `HeartbeatLeases`. */
export const heartbeat = groupHandler({
  api: heartbeatApi,
  min: 0,
  max: 4,
  groupId: (request) => request.groupId,
  refuse: (errorCode) => ({ errorCode, throttleTimeMs: 0 }),
  ask(call, { shard, request, told }) {
    const { leases } = call.gateway;
    if (leases === undefined) call.ask(shard, request, told);
    else if (leases.covers(call, request)) call.reply(ALIVE);
    else leases.ask(call, { shard, beat: request }, told);
  },
});
