import type { ConfigResource } from '../../client/admin/configs.ts';
import { integerIn, usage } from '../options.ts';

/** Whose settings. */
export const resourceArgs = {
  topic: { type: 'string', alias: 't', valueHint: 'NAME', description: 'Of a topic' },
  node: { type: 'string', valueHint: 'ID', description: 'Of a broker; default: what is set for all brokers' },
  group: { type: 'string', alias: 'g', valueHint: 'NAME', description: 'Of a group' },
  'client-metrics': { type: 'string', valueHint: 'NAME', description: 'Of a subscription to client metrics' },
} as const;

export interface ResourceArgs {
  topic?: string | undefined;
  node?: string | undefined;
  group?: string | undefined;
  'client-metrics'?: string | undefined;
}

const NODE_ID_MAX = 0x7fff_ffff;

/** @throws CliError unless it is one of them. */
export function resourceOf(args: ResourceArgs): ConfigResource {
  const { topic, node, group, 'client-metrics': clientMetrics } = args;
  const given: ConfigResource[] = [
    ...(topic === undefined ? [] : [{ topic }]),
    ...(node === undefined
      ? []
      : [{ broker: node === 'default' ? node : integerIn('--node', node, 0, NODE_ID_MAX) } as const]),
    ...(group === undefined ? [] : [{ group }]),
    ...(clientMetrics === undefined ? [] : [{ clientMetrics }]),
  ];
  const [resource] = given;
  if (given.length === 1 && resource !== undefined) return resource;
  throw usage('whose settings? Say --topic, --node, --group or --client-metrics, one of them');
}
