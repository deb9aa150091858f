import type { ArgsDef } from 'citty';
import { lockHolder } from '../hosts/node/file-lock.ts';
import { command } from './command.ts';
import { configArgs, gather } from './config/command-line.ts';
import { type NodeConfig, resolveConfig } from './config/config.ts';
import { checkBroker } from './doctor/broker-view.ts';
import { checkDirectory } from './doctor/directory.ts';
import { type Finding, fail, findingLines, warn } from './doctor/finding.ts';
import { checkMachine } from './doctor/machine.ts';
import { checkAdvertised, checkPort } from './doctor/network.ts';
import { EXIT } from './errors.ts';
import type { Report } from './terminal/report.ts';

const args = {
  ...configArgs,
  broker: {
    type: 'string',
    valueHint: 'HOST:PORT',
    description: 'Look at a running broker as a client sees it',
  },
  deep: { type: 'boolean', description: 'Read every batch of the data directory and check it' },
} satisfies ArgsDef;

/** Where `milena dev` keeps its log: what is meant when nothing is said. */
const USUAL = { given: [{ key: 'log.dirs', value: './milena-data', source: 'default' }], problems: [] };

/** `milena doctor`: would a node work here, and does one that runs? */
export const doctor = command({
  name: 'doctor',
  description: 'Check this machine, a configuration, a data directory or a broker',
  args,
  completes: { config: 'file', data: 'file' },
  async run({ args: given, rawArgs, report }) {
    const gathered = gather(rawArgs);
    const isToldOfNode = gathered.some(({ given: some, problems }) => some.length + problems.length > 0);
    const { config, problems, inert } = resolveConfig([USUAL, ...gathered]);
    const findings = await checkMachine();
    for (const { source, message } of problems)
      findings.push(fail('config', `${source}: ${message}`, 'change it'));
    for (const { source, message } of inert)
      findings.push(warn('config', `${source}: ${message}`, 'leave it out: it has no effect'));
    if (config !== undefined && (given.broker === undefined || isToldOfNode))
      findings.push(...(await checkNode(config, given.deep ?? false)));
    if (given.broker !== undefined)
      findings.push(...(await checkBroker(given.broker, isToldOfNode ? config : undefined)));
    tell(findings, report);
  },
});

async function checkNode(config: NodeConfig, deep: boolean): Promise<Finding[]> {
  const { kafka, http, advertised, directory, nodeId } = config;
  const holder = await lockHolder(directory);
  return [
    ...(await checkDirectory({ directory, nodeId, deep })),
    await checkPort({ check: 'kafka', ...kafka, option: '--listeners', holder }),
    ...(http === undefined ? [] : [await checkPort({ check: 'http', ...http, option: '--http', holder })]),
    await checkAdvertised({ listener: kafka, advertised }),
  ];
}

function tell(findings: readonly Finding[], report: Report): void {
  const failed = findings.filter(({ status }) => status === 'fail').length;
  const verdict = failed === 0 ? 'all well' : `${failed} to be mended`;
  report.text({ satisfied: failed === 0, findings }, () => `${findingLines(findings)}\n\n${verdict}`);
  if (failed > 0) process.exitCode = EXIT.unsatisfied;
}
