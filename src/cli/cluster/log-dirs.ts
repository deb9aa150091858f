import type { LogDir } from '../../client/admin/log-dirs.ts';
import { withAdmin } from '../admin.ts';
import { brokerArgs } from '../broker.ts';
import { command } from '../command.ts';
import { formatBytes } from '../terminal/bytes.ts';

/** `milena cluster log-dirs` */
export const logDirs = command({
  name: 'cluster log-dirs',
  description: 'Show where brokers keep logs, what is in there, and how much room is left',
  args: {
    partitions: { type: 'boolean', alias: 'p', description: 'What each partition takes' },
    ...brokerArgs,
  },
  async run({ args, report }) {
    await withAdmin({ args, report }, async ({ cluster }) => {
      const found = await cluster.logDirs();
      if (args.partitions) {
        const rows = found.flatMap(({ brokerId, path, partitions }) =>
          partitions.map((each) => ({ brokerId, path, ...each })),
        );
        return report.list('partitions', rows, [
          { head: 'topic', of: ({ topic }) => topic },
          { head: 'partition', of: ({ partition }) => partition },
          { head: 'node', of: ({ brokerId }) => brokerId },
          { head: 'directory', of: ({ path }) => path },
          { head: 'bytes', of: ({ sizeBytes }) => sizeBytes },
        ]);
      }
      report.list('directories', found.map(summed), [
        { head: 'node', of: ({ brokerId }) => brokerId },
        { head: 'directory', of: ({ path }) => path },
        { head: 'partitions', of: ({ partitions }) => partitions },
        { head: 'bytes', of: ({ sizeBytes }) => sizeBytes },
        { head: 'free', of: ({ usableBytes }) => (usableBytes === null ? null : formatBytes(usableBytes)) },
        { head: 'error', of: ({ error }) => error },
      ]);
    });
  },
});

function summed({ partitions, ...rest }: LogDir) {
  const sizeBytes = partitions.reduce((sum, each) => sum + each.sizeBytes, 0);
  return { ...rest, partitions: partitions.length, sizeBytes };
}
