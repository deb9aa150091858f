/** The entry `milena/react`: a topic as a hook. React 18 or 19 is the page's own. */
import { useMemo, useSyncExternalStore } from 'react';
import { TopicStore, type TopicView, type UseTopicOptions } from './topic-store.ts';

export type { TopicView, UseTopicOptions } from './topic-store.ts';

/**
 * The newest records of a topic, as they come: `const { records, status, publish } = useTopic('/t/orders?from=-50')`.
 * It reads while a component that uses it is mounted, goes on where it was after whatever happens, and renders once
 * for all that comes at once.
 * @param url as for `subscribe` of `milena/web`.
 * @throws MilenaError INVALID_ARGUMENT
 */
export function useTopic(url: string, options: UseTopicOptions = {}): TopicView {
  // Options are often written in place: another object, the same words.
  const words = JSON.stringify([url, options]);
  const store = useMemo(() => {
    const [where, how] = JSON.parse(words) as [string, UseTopicOptions];
    return new TopicStore(where, how);
  }, [words]);
  return useSyncExternalStore(store.subscribe, store.view, store.view);
}
