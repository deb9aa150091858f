import { CliError, EXIT } from './errors.ts';
import { nearest } from './nearest.ts';

/** @param names of the topics there are: one of them may have been meant. */
export function noTopic(topic: string, names: readonly string[], hint?: string): CliError {
  const near = nearest(topic, names);
  const meant = near === undefined ? undefined : `did you mean ${near}?`;
  const next = 'milena topics ls';
  return new CliError(EXIT.notFound, 'UNKNOWN_TOPIC', `there is no topic ${topic}`, hint ?? meant, next);
}
