import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseSync } from 'vite';

type Program = ReturnType<typeof parseSync>['program'];
export type Statement = Program['body'][number];
export type ExportedDeclaration = NonNullable<
  Extract<Statement, { type: 'ExportNamedDeclaration' }>['declaration']
>;

/** Something that is declared in a file of types; overloads are several of one name. */
export interface Declaration {
  name: string;
  file: TypesFile;
  nodes: ExportedDeclaration[];
  /** What its docstring says, as Markdown. */
  docs: string;
}

/** A `.d.ts` of the build: what it declares, and where the names come from that it uses. */
export class TypesFile {
  static readonly #known = new Map<string, TypesFile>();

  readonly path: string;
  readonly text: string;
  readonly #program: Program;
  /** Where a docstring ends, and what it says. */
  readonly #comments: readonly { start: number; end: number; value: string }[];
  readonly #own = new Map<string, Declaration>();
  readonly #imported = new Map<string, { from: string; name: string }>();

  private constructor(path: string) {
    this.path = path;
    this.text = readFileSync(path, 'utf8');
    const { program, comments, errors } = parseSync(path, this.text);
    if (errors.length > 0) throw new Error(`${path}: ${errors[0]?.message}`);
    this.#program = program;
    this.#comments = comments.filter(({ type, value }) => type === 'Block' && value.startsWith('*'));
    for (const statement of program.body) this.#learn(statement);
  }

  static at(path: string): TypesFile {
    let file = this.#known.get(path);
    if (file === undefined) this.#known.set(path, (file = new TypesFile(path)));
    return file;
  }

  /** What stands behind a name in this file; undefined for what the platform declares. */
  find(name: string): Declaration | undefined {
    const own = this.#own.get(name);
    if (own !== undefined) return own;
    const imported = this.#imported.get(name);
    return imported && TypesFile.at(imported.from).find(imported.name);
  }

  /** All that it exports, by the names it gives them, in order. */
  exports(): Map<string, Declaration> {
    const all = new Map<string, Declaration>();
    for (const statement of this.#program.body) {
      if (statement.type === 'ExportAllDeclaration') {
        const file = TypesFile.at(this.#pathOf(statement.source.value));
        for (const [name, declaration] of file.exports()) all.set(name, declaration);
      } else if (statement.type === 'ExportNamedDeclaration') {
        for (const name of namesOf(statement.declaration)) this.#add(all, name, name);
        for (const { local, exported } of statement.specifiers)
          this.#add(all, nameIn(exported), nameIn(local));
      }
    }
    return all;
  }

  /** The text of a node, on one line. */
  source({ start, end }: { start: number; end: number }): string {
    return this.text
      .slice(start, end)
      .replaceAll(/\/\*\*[^]*?\*\//g, '')
      .replaceAll(/\s+/g, ' ')
      .trim();
  }

  /** The docstring right before a place, as Markdown. */
  docsBefore(start: number): string {
    const comment = this.#comments.findLast(({ end }) => end <= start);
    const between = comment && this.text.slice(comment.end, start);
    return between !== undefined && /^\s*(?:export )?(?:declare )?$/.test(between)
      ? markdownOf(comment?.value ?? '')
      : '';
  }

  #add(all: Map<string, Declaration>, name: string, local: string): void {
    const found = this.find(local);
    if (found !== undefined) all.set(name, found);
  }

  #learn(statement: Statement): void {
    if (statement.type === 'ImportDeclaration') {
      if (!statement.source.value.startsWith('.')) return;
      const from = this.#pathOf(statement.source.value);
      for (const specifier of statement.specifiers)
        if (specifier.type === 'ImportSpecifier')
          this.#imported.set(specifier.local.name, { from, name: nameIn(specifier.imported) });
    } else if (statement.type === 'ExportNamedDeclaration') {
      const { source, declaration, specifiers } = statement;
      if (declaration !== null) this.#declare(declaration);
      if (source === null || !source.value.startsWith('.')) return;
      const from = this.#pathOf(source.value);
      for (const { local } of specifiers) this.#imported.set(nameIn(local), { from, name: nameIn(local) });
    } else if (isDeclaration(statement)) {
      this.#declare(statement);
    }
  }

  #declare(node: ExportedDeclaration): void {
    for (const name of namesOf(node)) {
      const known = this.#own.get(name);
      if (known !== undefined) known.nodes.push(node);
      else this.#own.set(name, { name, file: this, nodes: [node], docs: this.docsBefore(node.start) });
    }
  }

  #pathOf(specifier: string): string {
    return join(dirname(this.path), specifier.replace(/\.js$/, '.d.ts'));
  }
}

const DECLARATIONS =
  /^(?:TSDeclareFunction|ClassDeclaration|TSInterfaceDeclaration|TSTypeAliasDeclaration|VariableDeclaration)$/;

function isDeclaration(node: Statement): node is Statement & ExportedDeclaration {
  return DECLARATIONS.test(node.type);
}

function namesOf(node: ExportedDeclaration | null): string[] {
  if (node === null) return [];
  if (node.type === 'VariableDeclaration')
    return node.declarations.flatMap(({ id }) => (id.type === 'Identifier' ? [id.name] : []));
  return 'id' in node && node.id !== null && 'name' in node.id ? [node.id.name] : [];
}

function nameIn(node: { name: string } | { value: string }): string {
  return 'name' in node ? node.name : node.value;
}

/** Tags become sentences. */
function markdownOf(comment: string): string {
  return comment
    .replaceAll(/\s*\n\s*\*?\s*/g, ' ')
    .replace(/^\*/, '')
    .replaceAll(/\{@link (\w+)\}/g, '`$1`')
    .replaceAll(/@throws /g, 'Throws ')
    .replaceAll(/@returns /g, 'Returns: ')
    .replaceAll(/@param ([\w.]+) /g, '`$1`: ')
    .trim();
}
