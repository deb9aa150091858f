import { withAdmin } from '../admin.ts';
import { brokerArgs } from '../broker.ts';
import { command } from '../command.ts';

/** `milena cluster info` */
export const info = command({
  name: 'cluster info',
  description: 'Show the brokers, the controller and the features of a cluster',
  args: {
    features: { type: 'boolean', description: 'Also the features, and the levels they are at' },
    ...brokerArgs,
  },
  async run({ args, report }) {
    await withAdmin({ args, report }, async (admin) => {
      const cluster = await admin.cluster.describe();
      const { clusterId, controllerId, brokers, features } = cluster;
      report.facts({ cluster }, [
        ['cluster', clusterId],
        ['controller', controllerId < 0 ? 'none' : controllerId],
        ...brokers.map(({ id, host, port, rack }): [string, string] => [
          `broker ${id}`,
          `${host}:${port}${rack === null ? '' : `, rack ${rack}`}`,
        ]),
        ...(args.features ? features : []).map(({ name, level, min, max }): [string, string] => [
          name,
          `${level} of ${min} to ${max}`,
        ]),
      ]);
    });
  },
});
