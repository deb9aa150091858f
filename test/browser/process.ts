import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

/** A browser of its own process group, with one page; nothing of it is remote controlled. */
export interface BrowserProcess {
  /** SIGKILL to all of it; resolves once its first process is gone. */
  kill(): Promise<void>;
}

export interface BrowserSpec {
  executablePath: string;
  args: readonly string[];
}

/** Opens `url` in a new browser. */
export function startBrowser({ executablePath, args }: BrowserSpec, url: string): BrowserProcess {
  const child: ChildProcess = spawn(executablePath, [...args, url], { stdio: 'ignore', detached: true });
  const gone = once(child, 'exit');
  const end = () => {
    if (child.pid !== undefined && child.exitCode === null && child.signalCode === null)
      process.kill(-child.pid, 'SIGKILL');
  };
  process.once('exit', end);
  return {
    async kill() {
      process.removeListener('exit', end);
      end();
      await gone;
    },
  };
}
