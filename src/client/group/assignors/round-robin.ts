import { at } from '../../../model/assert.ts';
import { type Assignor, nobodyHasAny, partitionsIn, sorted, wantedTopics } from './assignor.ts';

/** All partitions of all topics in a row, dealt out to the members in turn. */
export const roundRobin: Assignor = {
  name: 'roundrobin',
  isCooperative: false,
  assign(members, counts) {
    const assignments = nobodyHasAny(members);
    const inOrder = sorted(members).map(({ memberId, topics }) => ({ memberId, topics: new Set(topics) }));
    let turn = 0;
    for (const topic of wantedTopics(members, counts))
      for (const partition of partitionsIn(topic, counts)) {
        while (!at(inOrder, turn % inOrder.length).topics.has(topic)) turn++;
        assignments.get(at(inOrder, turn % inOrder.length).memberId)?.push(partition);
        turn++;
      }
    return assignments;
  },
};

/** The same under the name that kafkajs gives its own, for groups whose members are of both kinds. */
export const kafkajsRoundRobin: Assignor = { ...roundRobin, name: 'RoundRobinAssigner' };
