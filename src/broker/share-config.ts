import { brokerConfigNumber, type ConfigLayers, following } from '../metadata/configs/effective.ts';
import { ResourceType } from '../metadata/image.ts';
import { DEFAULT_SHARE_GROUP_CONFIG, type ShareGroupConfig } from '../share/index.ts';

/** How each share group reads: by its own settings within the broker's bounds, or by the broker's. */
export function shareGroupConfigOf(layers: ConfigLayers): (groupId: string) => ShareGroupConfig {
  const known = following(layers, () => new Map<string, ShareGroupConfig>());
  return (groupId) => {
    const configs = known();
    const before = configs.get(groupId);
    if (before !== undefined) return before;
    const config = read(layers, groupId);
    configs.set(groupId, config);
    return config;
  };
}

function read(layers: ConfigLayers, groupId: string): ShareGroupConfig {
  const own = layers.image.configs(ResourceType.GROUP, groupId);
  const number = (name: string): number => {
    const set = own.get(`share.${name}`);
    if (set === undefined) return brokerConfigNumber(layers, `group.share.${name}`);
    const [min, max] = ['min', 'max'].map((end) => brokerConfigNumber(layers, `group.share.${end}.${name}`));
    return Math.min(Math.max(Number(set), min ?? 0), max ?? Infinity);
  };
  const { autoOffsetReset } = DEFAULT_SHARE_GROUP_CONFIG;
  const isCommitted = own.get('share.isolation.level')?.toLowerCase() === 'read_committed';
  return {
    autoOffsetReset: own.get('share.auto.offset.reset') ?? autoOffsetReset,
    isolationLevel: isCommitted ? 'read_committed' : 'read_uncommitted',
    recordLockDurationMs: number('record.lock.duration.ms'),
    deliveryCountLimit: number('delivery.count.limit'),
    partitionMaxRecordLocks: number('partition.max.record.locks'),
    renewAcknowledgeEnable: own.get('share.renew.acknowledge.enable')?.toLowerCase() !== 'false',
  };
}
