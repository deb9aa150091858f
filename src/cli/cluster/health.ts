import { setTimeout as pause } from 'node:timers/promises';
import type { ClusterHealth } from '../../client/admin/cluster-health.ts';
import { spanMs } from '../../client/admin/span.ts';
import { counted } from '../admin.ts';
import { type BrokerArgs, brokerArgs, connectTo } from '../broker.ts';
import { command } from '../command.ts';
import { CliError, EXIT } from '../errors.ts';
import type { Report } from '../terminal/report.ts';

const LOOK_EVERY_MS = 250;

/** `milena cluster health` */
export const health = command({
  name: 'cluster health',
  description:
    'Ends with 0 only if all is well: brokers answer, partitions have leaders, replicas are in sync',
  args: {
    wait: {
      type: 'string',
      default: '0s',
      valueHint: 'SPAN',
      description: 'Wait so long for it to be well: 30s',
    },
    ...brokerArgs,
  },
  async run({ args, report }) {
    const deadlineMs = performance.now() + spanMs('--wait', args.wait);
    for (;;) {
      const isLast = () => performance.now() + LOOK_EVERY_MS > deadlineMs;
      try {
        const found = await look(args, report);
        if (found.isHealthy || isLast()) return say(found, report);
      } catch (error) {
        if (CliError.from(error).exitCode !== EXIT.unreachable || isLast()) throw error;
      }
      await pause(LOOK_EVERY_MS);
    }
  },
});

/** On new connections: one that is still there says nothing of who can come. */
async function look(args: BrokerArgs, report: Report): Promise<ClusterHealth> {
  await using client = await connectTo(args, { report });
  return await client.admin.cluster.health();
}

/** @throws CliError when it is not well. */
function say(health: ClusterHealth, report: Report): void {
  const { isHealthy, problems, brokers, partitionsCount } = health;
  const answering = brokers.filter(({ isAnswering }) => isAnswering).length;
  report.facts({ health }, [
    ['health', isHealthy ? 'well' : 'not well'],
    ['brokers', `${answering} of ${brokers.length} answer`],
    ['partitions', partitionsCount],
    ...problems.map((problem): [string, string] => ['problem', problem]),
  ]);
  if (isHealthy) return;
  throw new CliError(EXIT.unsatisfied, 'UNHEALTHY', `${counted(problems.length, 'problem')}: ${problems[0]}`);
}
