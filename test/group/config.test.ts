import { expect, test } from 'vitest';
import { GroupMachine } from '../../src/group/index.ts';
import { type GroupConfig, groupConfig } from '../../src/group/config.ts';
import { ErrorCode } from '../../src/model/errors.ts';
import { ZERO_UUID } from '../../src/model/ids.ts';
import { offsetCommitApi, type OffsetCommitResponse } from '../../src/wire/apis/08-offset-commit.ts';
import { OTHERS } from './coordinator.ts';

test('settings over defaults, read again when they are others', () => {
  let given: Partial<GroupConfig> = { groupMaxSize: 7 };
  const config = groupConfig(() => given);
  expect(config()).toMatchObject({ groupMaxSize: 7, offsetMetadataMaxBytes: 4_096 });
  expect(config()).toBe(config());
  given = { offsetMetadataMaxBytes: 9 };
  expect(config()).toMatchObject({ groupMaxSize: 2_147_483_647, offsetMetadataMaxBytes: 9 });
});

test('a machine keeps to what is set while it runs', () => {
  let given: Partial<GroupConfig> = { offsetMetadataMaxBytes: 5 };
  const machine = new GroupMachine({ ...OTHERS, id: () => 'id', config: () => given });
  const commit = () => {
    const partition = {
      partitionIndex: 0,
      committedOffset: 1,
      committedLeaderEpoch: -1,
      committedMetadata: '123456',
    };
    const topics = [{ name: 't', topicId: ZERO_UUID, partitions: [partition] }];
    const group = { groupId: 'g', generationIdOrMemberEpoch: -1, memberId: '', groupInstanceId: null };
    const body = { ...group, retentionTimeMs: -1, topics };
    const caller = { principal: 'User:ANONYMOUS', clientId: 'c', clientHost: '/127.0.0.1' };
    const from = { link: 1, correlationId: 1 };
    const asked = { from, caller, apiKey: offsetCommitApi.key, apiVersion: 8, body };
    const response = machine.decide(asked, 0).replies[0]?.body as OffsetCommitResponse | undefined;
    return response?.topics[0]?.partitions[0]?.errorCode;
  };
  expect(commit()).toBe(ErrorCode.OFFSET_METADATA_TOO_LARGE);
  given = { offsetMetadataMaxBytes: 6 };
  expect(commit()).toBe(0);
});
