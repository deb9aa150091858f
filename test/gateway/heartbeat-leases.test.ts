import { describe, expect, test } from 'vitest';
import { ErrorCode } from '../../src/model/errors.ts';
import { heartbeatApi } from '../../src/wire/apis/12-heartbeat.ts';
import { consumerGroupHeartbeatApi } from '../../src/wire/apis/68-consumer-group-heartbeat.ts';
import { shareGroupHeartbeatApi } from '../../src/wire/apis/76-share-group-heartbeat.ts';
import { decodeResponse, encodeRequest } from '../../src/wire/frame.ts';
import { FakeGateway } from './fake-gateway.ts';

const LEASE_MS = 600_000;
const SILENCE_MS = 5_000;

function world(heartbeatLeaseMs = LEASE_MS) {
  const fake = new FakeGateway({ heartbeatLeaseMs });
  fake.addTopic({ name: '__consumer_offsets', id: 'AAAAAAAAAAAAAAAAAAAABw' }, 1);
  const { socket, connection } = fake.connect();
  let correlationId = 0;
  const beat = (generationId = 3) => {
    const body = { groupId: 'g', generationId, memberId: 'm' };
    connection.receive(
      encodeRequest(heartbeatApi, 4, { correlationId: ++correlationId, clientId: null }, body),
    );
  };
  const grant = (at = fake.link.asked.length - 1) => {
    const asked = fake.link.asked[at];
    if (asked === undefined) throw new Error('nothing was asked');
    const lease = { untilMs: asked.leaseUntilMs ?? 0, silenceMs: SILENCE_MS };
    const body = { throttleTimeMs: 0, errorCode: ErrorCode.NONE };
    fake.gateway.receive({ to: asked.from, body, parked: true, lease });
    return asked.from;
  };
  const codes = () => socket.frames.map((frame) => decodeResponse(heartbeatApi, 4, frame).body.errorCode);
  const { clock, link, gateway } = fake;
  return { clock, link, gateway, fake, connection, beat, grant, codes };
}

describe('heartbeats of a member whose gateway has a lease', () => {
  test('are answered by it, and the coordinator hears of the first alone', () => {
    const { beat, grant, codes, link, clock } = world();
    beat();
    expect(link.asked[0]?.leaseUntilMs).toBe(clock.nowMs + LEASE_MS);
    grant();
    for (let each = 0; each < 10; each++) {
      clock.advance(3_000);
      beat();
    }
    expect(codes()).toEqual(Array.from({ length: 11 }, () => ErrorCode.NONE));
    expect(link.asked).toHaveLength(1);
    expect(link.cancelled).toEqual([]);
  });

  test('go to the coordinator once the lease is over: the old one is given back first', () => {
    const { beat, grant, link, clock } = world();
    beat();
    const from = grant();
    while (clock.nowMs < 1_000_000 + LEASE_MS) {
      beat();
      clock.advance(3_000);
    }
    beat();
    expect(link.cancelled).toEqual([from]);
    expect(link.asked).toHaveLength(2);
    grant();
    beat();
    expect(link.asked).toHaveLength(2);
  });

  test("of another generation are the coordinator's", () => {
    const { beat, grant, link } = world();
    beat();
    const from = grant();
    beat(4);
    expect(link.asked).toHaveLength(2);
    expect(link.cancelled).toEqual([from]);
  });

  test('go to the coordinator once it has said that the group moves', () => {
    const { beat, grant, link, gateway, codes, fake } = world();
    beat();
    const to = grant();
    const errorCode = ErrorCode.REBALANCE_IN_PROGRESS;
    gateway.receive({ to, body: { throttleTimeMs: 0, errorCode } });
    expect(codes()).toEqual([ErrorCode.NONE]);
    beat();
    expect(link.asked).toHaveLength(2);
    fake.answer(1, { throttleTimeMs: 0, errorCode });
    expect(codes()).toEqual([ErrorCode.NONE, errorCode]);
  });

  test('that stop: the lease is given back', () => {
    const { beat, grant, link, clock } = world();
    beat();
    const from = grant();
    clock.advance(SILENCE_MS - 1);
    beat();
    clock.advance(SILENCE_MS - 1);
    expect(link.cancelled).toEqual([]);
    clock.advance(1);
    expect(link.cancelled).toEqual([from]);
    beat();
    expect(link.asked).toHaveLength(2);
  });

  test('whose connection has gone: the lease is given back', () => {
    const { beat, grant, link, connection, clock } = world();
    beat();
    const from = grant();
    connection.ended();
    expect(link.cancelled).toEqual([from]);
    clock.advance(LEASE_MS);
    expect(link.cancelled).toHaveLength(1);
  });

  test('where there are no leases, all go to the coordinator', () => {
    const { beat, link, fake } = world(0);
    for (let each = 0; each < 3; each++) {
      beat();
      fake.answer(each, { throttleTimeMs: 0, errorCode: ErrorCode.NONE });
    }
    expect(link.asked.map(({ leaseUntilMs }) => leaseUntilMs)).toEqual([undefined, undefined, undefined]);
  });

  test('go to the coordinator once the metadata has changed: there may be more to read', () => {
    const { beat, grant, link, fake } = world();
    beat();
    const from = grant();
    fake.addTopic({ name: 'new', id: 'AAAAAAAAAAAAAAAAAAAACA' }, 1);
    beat();
    expect(link.cancelled).toEqual([from]);
    expect(link.asked).toHaveLength(2);
  });
});

describe.each([
  { api: consumerGroupHeartbeatApi, feature: 'group.version', more: { topicPartitions: [] } },
  { api: shareGroupHeartbeatApi, feature: 'share.version', more: { subscribedTopicNames: ['t'] } },
] as const)('heartbeats of $api.name', ({ api, feature, more }) => {
  function epochWorld() {
    const fake = new FakeGateway({ heartbeatLeaseMs: LEASE_MS });
    fake.addTopic({ name: '__consumer_offsets', id: 'AAAAAAAAAAAAAAAAAAAABw' }, 1);
    fake.addTopic({ name: '__share_group_state', id: 'AAAAAAAAAAAAAAAAAAAACQ' }, 1);
    fake.apply({ type: 'featureLevel', name: feature, featureLevel: 1 });
    const { socket, connection } = fake.connect();
    let correlationId = 0;
    const beat = (said: object = {}) => {
      const body = { groupId: 'g', memberId: 'm', memberEpoch: 3, ...said };
      const header = { correlationId: ++correlationId, clientId: null };
      connection.receive(encodeRequest(api as typeof consumerGroupHeartbeatApi, 1, header, body));
    };
    const answers = () =>
      socket.frames.map((frame) => decodeResponse(api as typeof consumerGroupHeartbeatApi, 1, frame).body);
    return { fake, beat, answers };
  }

  test('that say no more than that a member lives are answered like the first, but for what it was given', () => {
    const { fake, beat, answers } = epochWorld();
    beat();
    const [asked] = fake.link.asked;
    if (asked === undefined) throw new Error('nothing was asked');
    const answer = {
      throttleTimeMs: 0,
      errorCode: 0,
      errorMessage: null,
      memberId: 'm',
      memberEpoch: 3,
      heartbeatIntervalMs: 5_000,
      assignment: { topicPartitions: [] },
    };
    const lease = { untilMs: asked.leaseUntilMs ?? 0, silenceMs: SILENCE_MS };
    fake.gateway.receive({ to: asked.from, body: answer, parked: true, lease });
    beat();
    expect(answers()).toEqual([answer, { ...answer, assignment: null }]);
    expect(fake.link.asked).toHaveLength(1);
    beat(more);
    beat({ memberEpoch: -1 });
    expect(fake.link.cancelled).toEqual([asked.from]);
    expect(fake.link.asked.map(({ leaseUntilMs }) => leaseUntilMs)).toEqual([
      asked.leaseUntilMs,
      undefined,
      undefined,
    ]);
  });
});
