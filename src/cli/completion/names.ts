import { connectTo } from '../broker.ts';
import { contextFiles } from '../contexts/target.ts';
import { Report } from '../terminal/report.ts';
import type { Candidate, Names } from './candidates.ts';

/** Whoever pressed Tab waits. */
const WITHIN_MS = 1_500;
/** What no shell takes for anything but a name; others are not offered. */
const PLAIN = /^[\w.@%+/-]+$/;

const SILENT = { json: false, quiet: true, verbose: false, yes: false, mayAsk: false };

/** Names of what there is, asked now. What cannot be had in time is no reason to say anything. */
export const brokerNames: Names = {
  async of(kind, options) {
    const found = await (kind === 'context' ? contexts() : ofBroker(kind, options));
    return found.filter(({ value }) => PLAIN.test(value));
  },
};

async function contexts(): Promise<Candidate[]> {
  const { repository, user } = await contextFiles();
  const all = new Map([...user.contexts, ...repository.contexts]);
  return Array.from(all, ([value, { url }]) => ({ value, description: url }));
}

async function ofBroker(kind: 'topic' | 'group', options: ReadonlyMap<string, string>): Promise<Candidate[]> {
  const signal = AbortSignal.timeout(WITHIN_MS);
  const to = { url: options.get('url'), context: options.get('context') };
  await using client = await connectTo(to, { report: new Report(SILENT), signal });
  if (kind === 'topic')
    return (await client.admin.topics.list({ signal })).map(({ name }) => ({ value: name }));
  return (await client.admin.groups.list({ signal })).map(({ groupId, state }) => ({
    value: groupId,
    description: state,
  }));
}
