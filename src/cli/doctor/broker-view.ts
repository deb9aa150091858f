import { lookup } from 'node:dns/promises';
import type { Cluster } from '../../client/cluster.ts';
import { ConnectionLost } from '../../client/errors.ts';
import { ErrorCode } from '../../model/errors.ts';
import type { MetadataResponse } from '../../wire/apis/03-metadata.ts';
import type { NodeConfig } from '../config/config.ts';
import { targetOf } from '../contexts/target.ts';
import { connectToAddress, connectToTarget } from '../transfer/topic-at.ts';
import { type Finding, fail, ok, warn } from './finding.ts';
import { isLoopback } from './network.ts';

type Broker = MetadataResponse['brokers'][number];

/** A running cluster as a client sees it, and what of it would mislead one. */
export async function checkBroker(address: string, config: NodeConfig | undefined): Promise<Finding[]> {
  let cluster: Cluster;
  try {
    cluster = await connectToTarget(await targetOf({ url: address }));
  } catch (error) {
    if (!(error instanceof ConnectionLost)) throw error;
    return [fail('broker', error.message, 'start it, or look at its listeners and at firewalls between')];
  }
  try {
    const exchange = await cluster.anyBroker();
    const metadata = await cluster.metadata(null);
    const { brokers, clusterId, controllerId, topics } = metadata;
    const findings = [
      ok('broker', `${address} answers, ${exchange.versions.size} APIs`),
      ok('cluster', `${clusterId ?? 'unnamed'}: ${brokers.length} broker(s), ${topics.length} topics`),
      brokers.some(({ nodeId }) => nodeId === controllerId)
        ? ok('controller', `node ${controllerId}`)
        : fail(
            'controller',
            'there is none: topics cannot be made or changed',
            'look at the logs of the controllers',
          ),
    ];
    for (const broker of brokers) findings.push(await checkAddress(broker, { asked: address, clusterId }));
    return [...findings, ...checkTopics(metadata), ...(config === undefined ? [] : compare(config, brokers))];
  } finally {
    cluster.close();
  }
}

/** Clients ask once and go on at the address they are told: it must be one for them, and lead to the same cluster. */
async function checkAddress(
  { nodeId, host, port }: Broker,
  { asked, clusterId }: { asked: string; clusterId: string | null },
): Promise<Finding> {
  const check = `node ${nodeId}`;
  const told = `clients are told ${host}:${port}`;
  const fix = `set advertised.listeners of node ${nodeId} to an address that works from here`;
  const addresses = await lookup(host, { all: true }).catch(() => []);
  if (addresses.length === 0) return fail(check, `${told}, a name without an address here`, fix);
  const askedLoopback = isLoopback(
    asked.slice(0, asked.lastIndexOf(':')).replace(/^\[|\]$/g, '') || '127.0.0.1',
  );
  if (!askedLoopback && addresses.every(({ address }) => isLoopback(address)))
    return fail(check, `${told}, which is their own machine`, fix);
  try {
    const there = await connectToAddress({ host, port });
    try {
      const found = (await there.metadata([])).clusterId;
      if (found !== clusterId) return fail(check, `${told}, where another cluster answers (${found})`, fix);
      return ok(check, `${told}, and it answers there`);
    } finally {
      there.close();
    }
  } catch (error) {
    if (!(error instanceof ConnectionLost)) throw error;
    return fail(check, `${told}, and nobody answers: ${error.message}`, fix);
  }
}

function checkTopics({ topics }: MetadataResponse): Finding[] {
  const partitions = topics.flatMap(({ name, partitions: some }) =>
    some.map((partition) => ({ title: `${name}-${partition.partitionIndex}`, ...partition })),
  );
  const leaderless = partitions.filter(
    ({ leaderId, errorCode }) => leaderId < 0 || errorCode !== ErrorCode.NONE,
  );
  const lagging = partitions.filter(({ isrNodes, replicaNodes }) => isrNodes.length < replicaNodes.length);
  const some = (list: typeof partitions) =>
    list
      .slice(0, 3)
      .map(({ title }) => title)
      .join(', ');
  const leaders =
    leaderless.length === 0
      ? ok('leaders', `all ${partitions.length} partitions have one`)
      : fail(
          'leaders',
          `${leaderless.length} partitions have none: ${some(leaderless)}`,
          'start the brokers that hold them',
        );
  if (lagging.length === 0) return [leaders];
  const found = `${lagging.length} partitions have fewer in sync than replicas: ${some(lagging)}`;
  return [leaders, warn('replicas', found, 'look at the brokers that lag')];
}

function compare({ nodeId, advertised }: NodeConfig, brokers: readonly Broker[]): Finding[] {
  const own = brokers.find((broker) => broker.nodeId === nodeId);
  if (own === undefined)
    return [
      fail('config', `node ${nodeId} of the file is not in that cluster`, 'check node.id, and --broker'),
    ];
  if (advertised === undefined || (advertised.host === own.host && advertised.port === own.port))
    return [ok('config', `node ${nodeId} runs as the file says`)];
  const found = `node ${nodeId} tells ${own.host}:${own.port}, the file says ${advertised.host}:${advertised.port}`;
  return [fail('config', found, 'restart it with this file')];
}
