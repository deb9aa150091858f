import { createInterface } from 'node:readline/promises';

/** Whether the person at the terminal says yes; the question goes to stderr, since stdout is for data. */
export async function ask(question: string): Promise<boolean> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(?:es)?$/i.test((await terminal.question(`${question} [y/N] `)).trim());
  } finally {
    terminal.close();
  }
}

/** Nothing of what is typed is shown. @throws when there is nobody who types */
export function askSecret(question: string): Promise<string> {
  const { stdin, stderr } = process;
  stderr.write(question);
  stdin.setRawMode(true);
  stdin.setEncoding('utf8');
  return new Promise((resolve, reject) => {
    let typed = '';
    const over = (finish: () => void) => {
      stdin.off('data', onData);
      stdin.setRawMode(false);
      stdin.pause();
      stderr.write('\n');
      finish();
    };
    const onData = (text: string) => {
      for (const letter of text) {
        if (letter === '\r' || letter === '\n' || letter === END) return over(() => resolve(typed));
        if (letter === INTERRUPT) return over(() => reject(new Error('interrupted')));
        typed = letter === BACKSPACE || letter === '\b' ? typed.slice(0, -1) : typed + letter;
      }
    };
    stdin.on('data', onData);
    stdin.resume();
  });
}

/** Ctrl-C, Ctrl-D and backspace, as a raw terminal sends them. */
const INTERRUPT = String.fromCharCode(3);
const END = String.fromCharCode(4);
const BACKSPACE = String.fromCharCode(127);
