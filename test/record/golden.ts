/**
 * The file of golden frames: a request or an answer a line, `Metadata 6 > hex`, `Metadata 6 < hex`, without size
 * prefix, each answer below its request.
 */
export interface GoldenFrame {
  api: string;
  version: number;
  part: 'request' | 'response';
  bytes: Buffer;
}

const MARKS = { request: '>', response: '<' } as const;

export function formatGolden(comment: string, frames: readonly GoldenFrame[]): string {
  const lines = frames.map(
    ({ api, version, part, bytes }) => `${api} ${version} ${MARKS[part]} ${bytes.toString('hex')}`,
  );
  return `# ${comment}\n${lines.join('\n')}\n`;
}

export function parseGolden(text: string): GoldenFrame[] {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return lines.map((line) => {
    const [, api = '', version, mark, hex = ''] = /^(\w+) (\d+) ([<>]) ([0-9a-f]+)$/.exec(line) ?? [];
    if (api === '') throw new Error(`not a golden frame: ${line.slice(0, 80)}`);
    const part = mark === MARKS.request ? 'request' : 'response';
    return { api, version: Number(version), part, bytes: Buffer.from(hex, 'hex') };
  });
}
