import { ARE_OBJECTS, KNOW_JURISDICTIONS } from '../../metadata/configs/verdicts.ts';
import { checkBrokerConfigs } from '../../metadata/configs/validate.ts';
import { decodeUuid } from '../../wire/text.ts';

/** All objects are one broker to clients. */
export const NODE_ID = 1;

/** What differs from Kafka's defaults: topics are made on purpose, since each partition is an object of its own. */
const DEFAULTS: readonly (readonly [string, string])[] = [
  ['node.id', String(NODE_ID)],
  ['broker.id', String(NODE_ID)],
  ['process.roles', 'broker,controller'],
  ['auto.create.topics.enable', 'false'],
  ['milena.partitions.max', '1000'],
  [ARE_OBJECTS, 'true'],
  // A coordinator wakes for it.
  ['offsets.retention.check.interval.ms', '3600000'],
  ['socket.request.max.bytes', String(32 * 1024 * 1024)],
  ['sasl.enabled.mechanisms', 'OAUTHBEARER,SCRAM-SHA-256,SCRAM-SHA-512,PLAIN'],
];

/** Where segments can go elsewhere they do; an object keeps the newest 64 MB of its log. */
const TIERED: readonly (readonly [string, string])[] = [
  ['remote.log.storage.system.enable', 'true'],
  ['milena.remote.storage.enable', 'true'],
  ['log.segment.bytes', String(16 * 1024 * 1024)],
  ['log.roll.ms', String(15 * 60_000)],
  ['log.local.retention.bytes', String(64 * 1024 * 1024)],
];

/**
 * A cluster's id as Kafka has them, 16 bytes in base64url: the name where that is one, else made of it.
 */
export function clusterIdOf(name: string): string {
  if (/^[\w-]{22}$/.test(name)) return name;
  const bytes = new Uint8Array(16);
  const words = new DataView(bytes.buffer);
  for (let word = 0; word < 4; word++) {
    let hash = 0x811c9dc5 + word;
    for (let at = 0; at < name.length; at++) hash = Math.imul(hash ^ name.charCodeAt(at), 0x01000193);
    words.setUint32(4 * word, hash);
  }
  return decodeUuid(bytes, 0);
}

/** @param text as in server.properties. @throws {KafkaError} for a bad value. */
export function settingsOf(
  text: string,
  { isTiered = false, hasJurisdictions = false } = {},
): ReadonlyMap<string, string> {
  const given = text.split('\n').flatMap((line): [string, string][] => {
    const at = line.indexOf('=');
    if (at < 0 || line.trimStart().startsWith('#')) return [];
    return [[line.slice(0, at).trim(), line.slice(at + 1).trim()]];
  });
  const settings = new Map([...DEFAULTS, ...(isTiered ? TIERED : []), ...given]);
  settings.set(KNOW_JURISDICTIONS, String(hasJurisdictions));
  checkBrokerConfigs(settings);
  return settings;
}
