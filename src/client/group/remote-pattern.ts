/** Kafka's own topics: a consumer's pattern stands for none of them, but brokers give what matches. */
const INTERNAL_TOPICS = [
  '__consumer_offsets',
  '__transaction_state',
  '__share_group_state',
  '__cluster_metadata',
];
const FLAGS = /^[dgimsuy]*$/;
/**
 * What means in RE2 what it means here: characters, classes without a bracket within, groups that look nowhere, and
 * what repeats. A name is one line of ASCII, so that m, s and u change nothing.
 */
const SHARED =
  /^(?:[^\\[(]|\\[dDwWsSbB.*+?^$|(){}[\]/\\_-]|\[\^?(?:[^\\[\]]|\\[dDwWsS.*+?^$|(){}[\]/\\_-])+\]|\((?!\?)|\(\?:)*$/;

/**
 * A pattern as brokers resolve it (KIP-848): in RE2's syntax, of whole names.
 * @returns undefined for one that a broker might understand otherwise: who wants it resolves it.
 */
export function remotePatternOf({ source, flags }: RegExp): string | undefined {
  if (!FLAGS.test(flags) || !SHARED.test(source)) return undefined;
  const ignoresCase = flags.includes('i');
  const pattern = new RegExp(source, ignoresCase ? 'i' : '');
  if (INTERNAL_TOPICS.some((name) => pattern.test(name))) return undefined;
  return `${ignoresCase ? '(?i)' : ''}.*(?:${source}).*`;
}
