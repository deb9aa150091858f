import { invalidArgument } from '../../errors.ts';
import type { Assignor } from './assignor.ts';

export type AssignorName = 'range' | 'roundrobin' | 'RoundRobinAssigner' | 'sticky' | 'cooperative-sticky';

/** Kafka's own by their names, kafkajs's `RoundRobinAssigner`, or one of the user's. */
export type AssignorChoice = AssignorName | Assignor;

const NAMES: readonly string[] = Object.keys({
  range: 0,
  roundrobin: 0,
  RoundRobinAssigner: 0,
  sticky: 0,
  'cooperative-sticky': 0,
} satisfies Record<AssignorName, 0>);

/** Without the assignors themselves, which are loaded later. @throws MilenaError INVALID_ARGUMENT */
export function checkAssignors(choices: readonly AssignorChoice[]): void {
  if (choices.length === 0) throw invalidArgument('a group needs an assignor');
  const unknown = choices.find((choice) => typeof choice === 'string' && !NAMES.includes(choice));
  if (unknown !== undefined)
    throw invalidArgument(
      `there is no assignor of the name ${unknown as string}`,
      `choose of ${NAMES.join(', ')}`,
    );
}
