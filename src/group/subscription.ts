import { KafkaError } from '../model/errors.ts';
import { CONSUMER_PROTOCOL } from '../wire/consumer-protocol.ts';
import { Reader } from '../wire/reader.ts';
import { codecOf } from '../wire/codec.ts';
import { array, message, string } from '../wire/schema.ts';
import type { MessageOf } from '../wire/schema.ts';
import type { Group } from './group.ts';
import { metadataOf } from './member.ts';
import type { Protocol } from './member.ts';

const VERSION_BYTES = 2;

/** What every version of a consumer's metadata begins with, after its int16 version. */
export const subscriptionPrefix = message({
  name: 'ConsumerProtocolSubscription',
  versions: '0',
  flexible: 'none',
  fields: { topics: array('0+', string('0+')) },
});

/**
 * Topics a consumer asks for; undefined when its metadata is not Kafka's: any client may put anything there.
 */
export function topicsOf(metadata: Uint8Array): string[] | undefined {
  try {
    const prefix = codecOf(subscriptionPrefix, subscriptionPrefix.fields, 0);
    const { topics } = prefix.read(new Reader(metadata, VERSION_BYTES)) as MessageOf<
      typeof subscriptionPrefix
    >;
    return topics;
  } catch (error) {
    if (error instanceof KafkaError) return undefined;
    throw error;
  }
}

/** Topics that members of a group of consumers read; undefined when it cannot be known. */
export function subscribedTopics(group: Group): ReadonlySet<string> | undefined {
  if (group.protocolType !== CONSUMER_PROTOCOL || group.protocol === null) return undefined;
  const all = new Set<string>();
  for (const member of group.members.values()) {
    const topics = topicsOf(metadataOf(member, group.protocol));
    if (topics === undefined) return undefined;
    for (const topic of topics) all.add(topic);
  }
  return all;
}

/**
 * Whether a consumer asks for other topics than before. Compared by topics, not bytes: a restarted consumer's
 * metadata always differs in the partitions it says it owns.
 */
export function subscribesAnew(
  group: Group,
  before: readonly Protocol[],
  after: readonly Protocol[],
): boolean {
  if (group.protocolType !== CONSUMER_PROTOCOL) return false;
  const topics = [before, after].map((protocols) => {
    const chosen = protocols.find(({ name }) => name === group.protocol);
    return chosen && topicsOf(chosen.metadata)?.toSorted().join();
  });
  return topics[0] !== topics[1];
}
