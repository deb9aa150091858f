import { hasColours } from './terminal/report.ts';
import { styled } from './terminal/table.ts';
import { type Branch, visible } from './tree.ts';

/** What there is under a noun, or at all: nothing is loaded for it. */
export function branchUsage(branch: Branch, path: readonly string[]): string {
  const colour = hasColours(process.stdout);
  const bold = (text: string) => (colour ? styled('bold', text) : text);
  const name = ['milena', ...path].join(' ');
  const commands = visible(branch);
  const width = Math.max(...commands.map(([each]) => each.length));
  const lines = commands.map(([each, { description }]) => `  ${bold(each.padEnd(width))}  ${description}`);
  return [
    branch.description,
    '',
    `${bold('USAGE')} ${name} COMMAND [OPTIONS]`,
    '',
    bold('COMMANDS'),
    ...lines,
    '',
    `${name} COMMAND --help tells more.`,
  ].join('\n');
}
