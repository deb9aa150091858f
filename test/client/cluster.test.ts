import { expect, test } from 'vitest';
import { Cluster } from '../../src/client/cluster.ts';
import { clientClock } from '../../src/hosts/node/clock.ts';
import { nodeRandom } from '../../src/hosts/node/random.ts';
import { tcpTransport } from '../../src/hosts/node/tcp-transport.ts';
import { TestBroker } from '../gateway/harness.ts';

test('asking how many partitions a topic has does not make it: a reader would bring back a deleted one', async () => {
  const server = await TestBroker.start();
  const cluster = new Cluster({
    transport: tcpTransport,
    bootstrap: [server.broker.kafka],
    clientId: 'test',
    clock: clientClock,
    random: nodeRandom,
    allowAutoTopicCreation: true,
  });
  try {
    await expect(cluster.partitionsOf('gone')).rejects.toMatchObject({ code: 'UNKNOWN_TOPIC_OR_PARTITION' });
    const { topics } = await cluster.metadata(null);
    expect(topics.map(({ name }) => name)).not.toContain('gone');
  } finally {
    cluster.close();
    await server.close();
  }
});
