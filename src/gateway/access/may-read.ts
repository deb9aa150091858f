import { AclOperation } from '../../security/acl.ts';
import type { Access } from './access.ts';

/** Of a Fetch, looked at partition by partition each time: a session goes on with what it had, and rules change. */
export function mayRead(
  access: Access | undefined,
  { topic, topicId }: { topic: string; topicId: string },
): boolean {
  return access?.namedTopic(AclOperation.READ, { name: topic, topicId }) ?? true;
}
