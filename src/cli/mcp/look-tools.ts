import * as z from 'zod/v4';
import { withTopics } from '../admin.ts';
import { describedTopics } from '../topics/describe.ts';
import { tool } from './tool.ts';

/** More would fill what an agent can keep in mind. */
const LIST_MAX = 1000;
const LIST_DEFAULT = 200;

const listArgs = {
  contains: z.string().optional().describe('Only names with this text in them'),
  limit: z
    .int()
    .min(1)
    .max(LIST_MAX)
    .default(LIST_DEFAULT)
    .describe('How many at most; total says how many there are'),
};

function listed<T>(
  name: string,
  all: readonly T[],
  {
    nameOf,
    contains = '',
    limit,
  }: { nameOf: (row: T) => string; contains?: string | undefined; limit: number },
): object {
  const found = all.filter((row) => nameOf(row).includes(contains));
  return { total: found.length, [name]: found.slice(0, limit) };
}

const listTopics = tool({
  name: 'list_topics',
  title: 'List topics',
  description: 'Topics by name, with their partitions and replication factor',
  args: z.strictObject({
    ...listArgs,
    internal: z.boolean().default(false).describe("Also Kafka's own, such as __consumer_offsets"),
  }),
  async run({ internal, ...which }, { client, signal }) {
    const { admin } = await client();
    const topics = await admin.topics.list({ internal, signal });
    return listed('topics', topics, { ...which, nameOf: ({ name }) => name });
  },
});

const describeTopic = tool({
  name: 'describe_topic',
  title: 'Describe a topic',
  description:
    'Partitions of a topic with leaders, replicas, first offset and end, and the settings that somebody set',
  args: z.strictObject({ topic: z.string().min(1).describe('Its name') }),
  async run({ topic: name }, { client }) {
    const { admin } = await client();
    const [topic] = await withTopics(admin, [name], () => describedTopics(admin, [name]));
    return { topic };
  },
});

const listGroups = tool({
  name: 'list_groups',
  title: 'List groups',
  description: 'Consumer groups and share groups by name, with their state and type',
  args: z.strictObject({
    ...listArgs,
    states: z.array(z.string()).default([]).describe('Only in these states: Stable, Empty, …'),
  }),
  async run({ states, ...which }, { client, signal }) {
    const { admin } = await client();
    const groups = await admin.groups.list({ states, signal });
    return listed('groups', groups, { ...which, nameOf: ({ groupId }) => groupId });
  },
});

const describeGroup = tool({
  name: 'describe_group',
  title: 'Describe a group',
  description:
    'State and members of a group, and for each partition the committed offset, the end, and the lag between them',
  args: z.strictObject({ group: z.string().min(1).describe('Its name') }),
  async run({ group: groupId }, { client, signal }) {
    const { groups } = (await client()).admin;
    const [described, { lag, partitions }] = await Promise.all([
      groups.describe(groupId, { signal }),
      groups.lag(groupId, { signal }),
    ]);
    return { group: { ...described, lag, partitions } };
  },
});

const clusterInfo = tool({
  name: 'cluster_info',
  title: 'Look at the cluster',
  description: 'Brokers and controller of the cluster, and what of it is not well',
  args: z.strictObject({}),
  async run(_, { client, signal }) {
    const { cluster } = (await client()).admin;
    const [{ clusterId, controllerId, brokers }, { isHealthy, problems, partitionsCount }] =
      await Promise.all([cluster.describe({ signal }), cluster.health({ signal })]);
    return { cluster: { clusterId, controllerId, brokers, partitionsCount, isHealthy, problems } };
  },
});

/** They change nothing. */
export const LOOK_TOOLS = [listTopics, describeTopic, listGroups, describeGroup, clusterInfo];
