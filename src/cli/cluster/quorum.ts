import type { QuorumReplica } from '../../client/admin/quorum.ts';
import { momentOf, withAdmin } from '../admin.ts';
import { brokerArgs } from '../broker.ts';
import { command } from '../command.ts';

/** `milena cluster quorum` */
export const quorum = command({
  name: 'cluster quorum',
  description: 'Show who keeps the metadata of a cluster, and how far they are',
  args: { ...brokerArgs },
  async run({ args, report }) {
    await withAdmin({ args, report }, async ({ cluster }) => {
      const found = await cluster.quorum();
      const { leaderId, leaderEpoch, highWatermark, voters, observers } = found;
      if (report.json) return report.facts({ quorum: found }, []);
      report.note(`leader ${leaderId}, epoch ${leaderEpoch}, committed up to ${highWatermark}`);
      const as = (role: string) => (replica: QuorumReplica) => ({ role, ...replica });
      report.list(
        'replicas',
        [...voters.map(as('voter')), ...observers.map(as('observer'))],
        [
          { head: 'node', of: ({ id }) => id },
          { head: 'role', of: ({ role, id }) => (id === leaderId ? 'leader' : role) },
          { head: 'end', of: ({ logEndOffset }) => logEndOffset },
          { head: 'lag', of: ({ lag }) => lag },
          { head: 'caught up', of: ({ caughtUpAt }) => momentOf(caughtUpAt) },
        ],
      );
    });
  },
});
