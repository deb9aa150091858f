import { AclOperation } from '../../security/acl.ts';
import type { Access } from './access.ts';

/** Of a Fetch, looked at partition by partition each time: a session goes on with what it had, and rules change. */
export function mayRead(
  access: Access | undefined,
  { topic, topicId }: { topic: string; topicId: string },
): boolean {
  return access?.namedTopic(AclOperation.READ, { name: topic, topicId }) ?? true;
}

/** Likewise of a share group, where who reads takes records from others: those who may have some keys may not. */
export function mayShare(access: Access | undefined, { topicId }: { topicId: string }): boolean {
  if (!mayRead(access, { topic: '', topicId })) return false;
  return access?.keyPrefixes(AclOperation.READ, { topicId }) === undefined;
}
