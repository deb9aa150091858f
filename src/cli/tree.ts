import type { Command } from './command.ts';

/** A command, not loaded: what is said of it without, and how it is had. */
export interface Leaf {
  description: string;
  load: () => Promise<Command>;
  /** For programs: not listed. */
  isHidden?: boolean;
}

/** A noun, and what can be done with it. */
export interface Branch {
  description: string;
  commands: Tree;
}

export interface Tree {
  readonly [name: string]: Leaf | Branch;
}

export interface Found {
  node: Leaf | Branch;
  /** The words that lead there. */
  path: string[];
  /** What follows them. */
  rest: string[];
}

/** Follows words into the tree as far as they name something; an option ends that. */
export function find(root: Branch, argv: readonly string[]): Found {
  let node: Leaf | Branch = root;
  const path: string[] = [];
  for (const word of argv) {
    if (!('commands' in node) || !Object.hasOwn(node.commands, word)) break;
    node = node.commands[word] as Leaf | Branch;
    path.push(word);
  }
  return { node, path, rest: argv.slice(path.length) };
}

/** What is listed under a noun. */
export function visible({ commands }: Branch): [name: string, node: Leaf | Branch][] {
  return Object.entries(commands).filter(([, node]) => !('isHidden' in node && node.isHidden));
}
