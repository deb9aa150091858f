import type { Assignor } from './assignor.ts';
import { type AssignorChoice, type AssignorName, checkAssignors } from './choice.ts';
import { cooperativeSticky } from './cooperative-sticky.ts';
import { range } from './range.ts';
import { kafkajsRoundRobin, roundRobin } from './round-robin.ts';
import { sticky } from './sticky.ts';

const BY_NAME: Readonly<Record<AssignorName, Assignor>> = {
  range,
  roundrobin: roundRobin,
  RoundRobinAssigner: kafkajsRoundRobin,
  sticky,
  'cooperative-sticky': cooperativeSticky,
};

/** @throws MilenaError INVALID_ARGUMENT */
export function assignorsOf(choices: readonly AssignorChoice[]): Assignor[] {
  checkAssignors(choices);
  return choices.map((choice) => (typeof choice === 'string' ? BY_NAME[choice] : choice));
}

/** Members read on through a rebalance only if whatever the group chooses allows it, as Java's do (KIP-429). */
export function areCooperative(assignors: readonly Assignor[]): boolean {
  return assignors.every(({ isCooperative }) => isCooperative);
}
