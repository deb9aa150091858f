import type { ConnectionBounds } from '../gateway/doorkeeper.ts';
import {
  brokerConfigNumber,
  brokerConfigValue,
  type ConfigLayers,
  following,
} from '../metadata/configs/effective.ts';
import { ipOverridesIn } from '../metadata/configs/ip-overrides.ts';
import type { QuotaWindows } from '../quota/keeper.ts';

/** What Kafka takes for no bound. */
const NONE = 0x7fff_ffff;

/** Read at a start: what was counted so far fits no other windows. */
export function quotaWindowsOf(layers: ConfigLayers): QuotaWindows {
  const windows = (prefix: string) => ({
    count: brokerConfigNumber(layers, `${prefix}quota.window.num`),
    sizeMs: brokerConfigNumber(layers, `${prefix}quota.window.size.seconds`) * 1_000,
  });
  return { clients: windows(''), mutations: windows('controller.') };
}

export function connectionBoundsOf(layers: ConfigLayers): () => ConnectionBounds {
  const bound = (name: string) => {
    const value = brokerConfigNumber(layers, name);
    return value === NONE ? Infinity : value;
  };
  return following(layers, () => ({
    max: bound('max.connections'),
    waitingMax: bound('socket.listen.backlog.size'),
    perIp: bound('max.connections.per.ip'),
    perIpOverrides: ipOverridesIn(brokerConfigValue(layers, 'max.connections.per.ip.overrides') ?? ''),
    perSecond: bound('max.connection.creation.rate'),
  }));
}
