import { Cluster, isUnknownTopic } from '../../client/cluster.ts';
import { TopicReader } from '../../client/topic-reader.ts';
import { loginOf, wayTo } from '../../client/connect.ts';
import { nodeCodecs } from '../../hosts/node/codecs.ts';
import { NodeFiles } from '../../hosts/node/files.ts';
import { clientClock } from '../../hosts/node/clock.ts';
import { nodeSurroundings } from '../../hosts/node/connect.ts';
import { nodeRandom } from '../../hosts/node/random.ts';
import { tcpTransport } from '../../hosts/node/tcp-transport.ts';
import type { Kernels } from '../../kernels/kernels.ts';
import type { BrokerAddress } from '../../ports/transport.ts';
import { StoredTopics } from '../../segments/stored-topics.ts';
import { CLIENT_ID, withCredentials } from '../broker.ts';
import type { Target } from '../contexts/target.ts';
import type { CliError } from '../errors.ts';
import { noTopic } from '../no-topic.ts';
import type { BatchSource } from './range.ts';

/** A topic that can be read, and what is to be closed after it. */
export interface OpenTopic {
  source: BatchSource;
  partitions: number;
  close(): Promise<void>;
}

/** @throws CliError, MilenaError */
export async function connectToTarget({ url: given, clientConfig }: Target): Promise<Cluster> {
  const surroundings = await nodeSurroundings();
  const { url, ...who } = await withCredentials(given, clientConfig);
  const { transport, bootstrap } = wayTo(url, who, surroundings);
  const login = await loginOf(who.sasl, surroundings);
  return Cluster.connect({ ...surroundings, transport, bootstrap, clientId: CLIENT_ID, login });
}

/** @throws ConnectionLost when no broker answers there. */
export function connectToAddress(address: BrokerAddress): Promise<Cluster> {
  return Cluster.connect({
    transport: tcpTransport,
    bootstrap: [address],
    clientId: CLIENT_ID,
    clock: clientClock,
    random: nodeRandom,
  });
}

export async function topicOfBroker(target: Target, topic: string): Promise<OpenTopic> {
  const cluster = await connectToTarget(target);
  try {
    const partitions = await partitionsAt(cluster, topic);
    if (partitions === undefined) throw await noTopicAt(cluster, topic);
    return { source: new TopicReader(cluster, topic), partitions, close: async () => cluster.close() };
  } catch (error) {
    cluster.close();
    throw error;
  }
}

/** How many partitions a topic has; undefined when there is no such topic. @throws BrokerError, ConnectionLost */
export async function partitionsAt(cluster: Cluster, topic: string): Promise<number | undefined> {
  try {
    return await cluster.partitionsOf(topic);
  } catch (error) {
    if (isUnknownTopic(error)) return undefined;
    throw error;
  }
}

export async function noTopicAt(cluster: Cluster, topic: string, hint?: string): Promise<CliError> {
  const { topics } = await cluster.metadata(null);
  return noTopic(
    topic,
    topics.flatMap(({ name }) => name ?? []),
    hint,
  );
}

export async function topicOfDirectory(
  directory: string,
  topic: string,
  kernels: Kernels,
): Promise<OpenTopic> {
  const stored = await StoredTopics.open({
    files: new NodeFiles(),
    directory,
    kernels,
    codecs: nodeCodecs(kernels),
  });
  const partitions = stored.partitionsOf(topic);
  if (partitions === undefined) {
    await stored.close();
    throw noTopic(topic, stored.names());
  }
  return { source: stored.reader(topic), partitions, close: () => stored.close() };
}
