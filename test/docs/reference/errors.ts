import { join } from 'node:path';
import { BrokerError, ConnectionLost } from '../../../src/client/errors.ts';
import { ErrorCode, errorInfo } from '../../../src/model/errors.ts';
import { ROOT } from '../../cli/milena.ts';
import { TypesFile } from './declarations.ts';
import { code, table } from './markdown.ts';

export function errorsPage(): string {
  const kafkas = Object.entries(ErrorCode)
    .filter(([, number]) => number !== ErrorCode.NONE)
    .map(([name, number]) => {
      const { retriable } = errorInfo(number);
      return [code(name), String(number), retriable ? 'yes' : '', new BrokerError(number).hint ?? ''];
    });
  return `# Errors

What the client throws of its own is a \`MilenaError\`: \`code\` for programs, \`retriable\` (whether trying
again later may help), \`hint\`
for people, and \`message\`. What a call can try again it has tried again before its error comes out. An
aborted call throws its
signal's reason.

## The client's own codes

${table(['code', 'what it means'], clientCodes())}

The hint of \`CONNECTION_LOST\`: ${new ConnectionLost('').hint}

## Kafka's codes

What a broker says comes out as a \`BrokerError\`, with Kafka's name as its \`code\` and Kafka's number as
its \`errorCode\`.

${table(['code', 'number', 'retriable', 'hint'], kafkas)}
`;
}

/** Of the union of codes: each with the comment before it, which can be for several. */
function clientCodes(): string[][] {
  const file = TypesFile.at(join(ROOT, 'dist/types/client/milena-error.d.ts'));
  const [node] = file.find('ClientErrorCode')?.nodes ?? [];
  if (node?.type !== 'TSTypeAliasDeclaration') throw new Error('there are no codes');
  const text = file.text.slice(node.start, node.end);
  const rows: string[][] = [];
  let docs = '';
  for (const [, comment, name] of text.matchAll(/\/\*\*\s*([^]*?)\s*\*\/|'([A-Z_]+)'/g)) {
    if (comment !== undefined) docs = comment.replaceAll(/\s*\n\s*\*\s*/g, ' ');
    if (name !== undefined) rows.push([code(name), docs]);
  }
  return rows;
}
