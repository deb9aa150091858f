import { invalidArgument } from '../../errors.ts';
import type { Assignor } from './assignor.ts';
import { cooperativeSticky } from './cooperative-sticky.ts';
import { range } from './range.ts';
import { kafkajsRoundRobin, roundRobin } from './round-robin.ts';
import { sticky } from './sticky.ts';

const BY_NAME = {
  range,
  roundrobin: roundRobin,
  RoundRobinAssigner: kafkajsRoundRobin,
  sticky,
  'cooperative-sticky': cooperativeSticky,
} as const;

/** Kafka's own by their names, kafkajs's `RoundRobinAssigner`, or one of the user's. */
export type AssignorChoice = keyof typeof BY_NAME | Assignor;

/** @throws MilenaError INVALID_ARGUMENT */
export function assignorsOf(choices: readonly AssignorChoice[]): Assignor[] {
  if (choices.length === 0) throw invalidArgument('a group needs an assignor');
  return choices.map((choice) => {
    const assignor = typeof choice === 'string' ? BY_NAME[choice] : choice;
    if ((assignor as Assignor | undefined) !== undefined) return assignor;
    const known = Object.keys(BY_NAME).join(', ');
    throw invalidArgument(`there is no assignor of the name ${choice as string}`, `choose of ${known}`);
  });
}

/** Members read on through a rebalance only if whatever the group chooses allows it, as Java's do (KIP-429). */
export function areCooperative(assignors: readonly Assignor[]): boolean {
  return assignors.every(({ isCooperative }) => isCooperative);
}
